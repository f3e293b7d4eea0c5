#include "train/schedule.h"

#include <math.h>

#define WARMUP \
    ENG_F_FLOAT(struct eng_schedule_options, warmup_epochs, 0, 0, 1e6, "linear rise from 0")

static const struct eng_field constant_fields[] = {WARMUP};

static double constant(const struct eng_schedule_options *options, double epoch, double n_epochs)
{
    (void)options, (void)epoch, (void)n_epochs;
    return 1;
}

static const struct eng_field step_fields[] = {
    WARMUP,
    ENG_F_FLOAT(struct eng_schedule_options, every_epochs, 10, 0.001, 1e6, "epochs between drops"),
    ENG_F_FLOAT(struct eng_schedule_options, factor, 0.1, 1e-6, 1, "the rate's factor at a drop"),
};

static double step(const struct eng_schedule_options *options, double epoch, double n_epochs)
{
    (void)n_epochs;
    return pow(options->factor, floor(epoch / options->every_epochs));
}

static const struct eng_field cosine_fields[] = {
    WARMUP,
    ENG_F_FLOAT(struct eng_schedule_options, final_factor, 0, 0, 1, "share of the rate at the end"),
};

static double cosine(const struct eng_schedule_options *options, double epoch, double n_epochs)
{
    double rest = n_epochs - options->warmup_epochs;
    double done = rest > 0 ? (epoch - options->warmup_epochs) / rest : 1;
    return options->final_factor + (1 - options->final_factor) * (1 + cos(M_PI * done)) / 2;
}

const struct eng_kind eng_schedule_kinds[] = {
#define SCHEDULE(text, prefix) ENG_KIND(text, prefix##_fields),
#include "train/schedule.def"
#undef SCHEDULE
};

const size_t eng_n_schedule_kinds = sizeof eng_schedule_kinds / sizeof *eng_schedule_kinds;

static double (*const functions[])(const struct eng_schedule_options *, double, double) = {
#define SCHEDULE(text, prefix) prefix,
#include "train/schedule.def"
#undef SCHEDULE
};

double eng_schedule_factor(const struct eng_schedule_options *options, double epoch,
                           double n_epochs)
{
    if (epoch < options->warmup_epochs) return epoch / options->warmup_epochs;
    return functions[options->kind](options, epoch, n_epochs);
}
