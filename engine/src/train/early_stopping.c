#include "train/early_stopping.h"

static const char *const monitors[] = {"loss", "accuracy", NULL};

const struct eng_field eng_early_stopping_fields[] = {
    ENG_F_CHOICE(struct eng_early_stopping_options, monitor, ENG_MONITOR_LOSS, monitors,
                 "what is watched on the validation set"),
    ENG_F_INT(struct eng_early_stopping_options, patience_epochs, 5, 1, 100000,
              "epochs without a better one after which training ends"),
    ENG_F_FLOAT(struct eng_early_stopping_options, min_delta, 0, 0, 1e9,
                "how much better is better"),
};

const size_t eng_n_early_stopping_fields =
    sizeof eng_early_stopping_fields / sizeof *eng_early_stopping_fields;

bool eng_early_stopping_note(struct eng_early_stopping *state,
                             const struct eng_early_stopping_options *options, size_t epoch,
                             double loss, double accuracy)
{
    bool by_loss = options->monitor == ENG_MONITOR_LOSS;
    double value = by_loss ? loss : accuracy;
    double gain = by_loss ? state->best - loss : accuracy - state->best;
    if (state->best_epoch != 0 && !(gain > options->min_delta)) return false;
    state->best = value;
    state->best_epoch = epoch;
    return true;
}

bool eng_early_stopping_is_over(const struct eng_early_stopping *state,
                                const struct eng_early_stopping_options *options, size_t epoch)
{
    return options->on && epoch >= state->best_epoch + (size_t)options->patience_epochs;
}
