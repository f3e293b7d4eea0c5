/* The method of networks: layers, trained by gradient descent. */
#include "train/method.h"
#include "train/trainer.h"

static enum eng_status fit(struct eng_method_run *run, struct eng_error *err)
{
    struct eng_trainer trainer = {0};
    enum eng_status status = eng_trainer_init(&trainer, run, err);
    if (status == ENG_OK) status = eng_trainer_run(&trainer, err);
    eng_trainer_fini(&trainer);
    return status;
}

const struct eng_method eng_method_network = {.fit = fit};
