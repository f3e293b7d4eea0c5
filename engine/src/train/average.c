#include "train/average.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

const struct eng_field eng_average_fields[] = {
    ENG_F_FLOAT(struct eng_average_options, decay, 0.999, 0, 0.999999,
                "share of the average that is kept when the weights join it"),
    ENG_F_INT(struct eng_average_options, every_steps, 1, 1, 1000000,
              "steps from one joining to the next"),
};

const size_t eng_n_average_fields = sizeof eng_average_fields / sizeof *eng_average_fields;

enum eng_status eng_average_init(struct eng_average *average,
                                 const struct eng_average_options *options,
                                 const struct eng_parameters *parameters, struct eng_error *err)
{
    struct eng_average made = {0};
    if (options->on) {
        made.floats = eng_calloc(eng_parameters_count(parameters), sizeof *made.floats);
        if (!made.floats) return eng_fail_memory(err, "the average of the weights");
    }
    *average = made;
    return ENG_OK;
}

void eng_average_fini(struct eng_average *average)
{
    free(average->floats);
    memset(average, 0, sizeof *average);
}

void eng_average_step(struct eng_average *average, const struct eng_average_options *options,
                      const struct eng_parameters *parameters, size_t n_steps,
                      struct eng_pool *pool)
{
    if (!average->floats || n_steps % (size_t)options->every_steps != 0) return;
    if (average->n++ == 0)
        eng_parameters_read(parameters, average->floats);
    else
        eng_parameters_average(parameters, options->decay, average->floats, pool);
}

void eng_average_swap(struct eng_average *average, const struct eng_parameters *parameters)
{
    if (average->n > 0) eng_parameters_swap(parameters, average->floats);
}
