#include "train/eigen.h"

#include <assert.h>
#include <math.h>

enum { MAX_SWEEPS = 60 };

/* Rotates lines p and q of n numbers, `step` apart, by the angle with this cosine and sine. */
static void rotate(double *p, double *q, size_t n, size_t step, double cosine, double sine)
{
    for (size_t k = 0; k < n; k++) {
        double a = p[k * step], b = q[k * step];
        p[k * step] = cosine * a - sine * b;
        q[k * step] = sine * a + cosine * b;
    }
}

/* Makes element (p, q) zero. Rows of vectors follow. */
static void annihilate(double *m, size_t n, size_t p, size_t q, double *vectors)
{
    double off = m[p * n + q];
    if (off == 0) return;
    double theta = (m[q * n + q] - m[p * n + p]) / (2 * off);
    double tangent = copysign(1, theta) / (fabs(theta) + sqrt(theta * theta + 1));
    double cosine = 1 / sqrt(tangent * tangent + 1), sine = tangent * cosine;
    rotate(m + p, m + q, n, n, cosine, sine);
    rotate(m + p * n, m + q * n, n, 1, cosine, sine);
    m[p * n + q] = m[q * n + p] = 0;
    rotate(vectors + p * n, vectors + q * n, n, 1, cosine, sine);
}

static double off_diagonal(const double *m, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n; k++)
            sum += m[i * n + k] * m[i * n + k];
    return sum;
}

static double diagonal(const double *m, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += m[i * n + i] * m[i * n + i];
    return sum;
}

static void swap_rows(double *a, double *b, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        double kept = a[k];
        a[k] = b[k];
        b[k] = kept;
    }
}

static void sort(double *values, double *vectors, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t largest = i;
        for (size_t k = i + 1; k < n; k++)
            if (values[k] > values[largest]) largest = k;
        if (largest == i) continue;
        swap_rows(&values[i], &values[largest], 1);
        swap_rows(vectors + i * n, vectors + largest * n, n);
    }
}

static void point_up(double *vector, size_t n)
{
    size_t largest = 0;
    for (size_t k = 1; k < n; k++)
        if (fabs(vector[k]) > fabs(vector[largest])) largest = k;
    for (size_t k = 0, flip = vector[largest] < 0; flip && k < n; k++)
        vector[k] = -vector[k];
}

void eng_eigen_symmetric(double *matrix, size_t n, double *values, double *vectors)
{
    assert(n > 0 && n <= ENG_EIGEN_MAX_SIDE);
    for (size_t i = 0; i < n * n; i++)
        vectors[i] = i % (n + 1) == 0;
    for (int sweep = 0; sweep < MAX_SWEEPS; sweep++) {
        if (off_diagonal(matrix, n) <= 1e-24 * diagonal(matrix, n)) break;
        for (size_t p = 0; p < n; p++)
            for (size_t q = p + 1; q < n; q++)
                annihilate(matrix, n, p, q, vectors);
    }
    for (size_t i = 0; i < n; i++)
        values[i] = matrix[i * n + i];
    sort(values, vectors, n);
    for (size_t i = 0; i < n; i++)
        point_up(vectors + i * n, n);
}
