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

/* t: share of the way down, from 1 at t = 0 to final_factor at t = 1. */
static double fall(const struct eng_schedule_options *options, enum eng_anneal anneal, double t)
{
    double left = anneal == ENG_ANNEAL_LINEAR ? 1 - t : (1 + cos(M_PI * t)) / 2;
    return options->final_factor + (1 - options->final_factor) * left;
}

static double cosine(const struct eng_schedule_options *options, double epoch, double n_epochs)
{
    double rest = n_epochs - options->warmup_epochs;
    double done = rest > 0 ? (epoch - options->warmup_epochs) / rest : 1;
    return fall(options, ENG_ANNEAL_COSINE, done);
}

static const char *const anneal_names[] = {"cosine", "linear", NULL};

static const struct eng_field one_cycle_fields[] = {
    ENG_F_FLOAT(struct eng_schedule_options, peak, 0.3, 0, 1, "share of the run that rises"),
    ENG_F_FLOAT(struct eng_schedule_options, start_factor, 0.04, 0, 1, "of the rate at the start"),
    ENG_F_FLOAT(struct eng_schedule_options, final_factor, 0, 0, 1, "share of the rate at the end"),
    ENG_F_CHOICE(struct eng_schedule_options, anneal, 0, anneal_names, "the way down"),
};

static double one_cycle(const struct eng_schedule_options *options, double epoch, double n_epochs)
{
    double done = epoch / n_epochs, peak = options->peak;
    if (done < peak) return options->start_factor + (1 - options->start_factor) * done / peak;
    return peak < 1 ? fall(options, (enum eng_anneal)options->anneal, (done - peak) / (1 - peak))
                    : 1;
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
