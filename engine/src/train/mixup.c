#include "train/mixup.h"

#include <math.h>

/* In (0, 1]: its logarithm is finite. */
static double draw_uniform(struct eng_rng *rng)
{
    return (double)((eng_rng_u64(rng) >> 11) + 1) * 0x1p-53;
}

/* shape >= 1: d v with v = (1 + c x)^3, x normal, squeezed under the gamma density by rejection. */
static double log_gamma_from_one(double shape, struct eng_rng *rng)
{
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = (double)eng_rng_normal(rng), v = 1 + c * x;
        double log_uniform = log(draw_uniform(rng));
        if (v <= 0) continue;
        v = v * v * v;
        if (log_uniform < x * x / 2 + d - d * v + d * log(v)) return log(d) + log(v);
    }
}

double eng_mixup_log_gamma(double shape, struct eng_rng *rng)
{
    if (shape >= 1) return log_gamma_from_one(shape, rng);
    double log_uniform = log(draw_uniform(rng));
    return log_gamma_from_one(shape + 1, rng) + log_uniform / shape;
}

/* x / (x + y) of two Gammas, as 1 / (1 + exp(log y - log x)): x + y may be 0 when the logs are not
 * infinite. */
double eng_mixup_beta(double a, double b, struct eng_rng *rng)
{
    double log_x = eng_mixup_log_gamma(a, rng), log_y = eng_mixup_log_gamma(b, rng);
    return 1 / (1 + exp(log_y - log_x));
}

void eng_mixup_draw(double alpha, struct eng_rng *rng, size_t n, float *shares)
{
    alpha = fmax(alpha, 1e-9); /* where both logarithms of Gammas are still finite */
    for (size_t i = 0; i + 1 < n; i += 2)
        shares[i] = shares[i + 1] = (float)eng_mixup_beta(alpha, alpha, rng);
    if (n % 2) shares[n - 1] = 1;
}

void eng_mixup_rows(const float *shares, size_t n, size_t n_values, float *rows)
{
    for (size_t i = 0; i + 1 < n; i += 2) {
        float *one = rows + i * n_values, *other = one + n_values;
        float share = shares[i], rest = 1 - share;
        for (size_t k = 0; k < n_values; k++) {
            float a = one[k], b = other[k];
            one[k] = share * a + rest * b;
            other[k] = share * b + rest * a;
        }
    }
}

void eng_mixup_labels(const uint16_t *labels, size_t n, uint16_t *other_labels)
{
    for (size_t i = 0; i + 1 < n; i += 2) {
        other_labels[i] = labels[i + 1];
        other_labels[i + 1] = labels[i];
    }
    if (n % 2) other_labels[n - 1] = labels[n - 1];
}
