/* First weights that whiten: a Conv's outputs begin uncorrelated and of one variance. */
#ifndef ENG_TRAIN_WHITENING_H
#define ENG_TRAIN_WHITENING_H

#include "train/dataset.h"
#include "train/input.h"

/* Where patches come from: what a network is trained on. */
struct eng_patch_source {
    const struct eng_input *input;
    const struct eng_dataset *train;
};

/* The kernel whose weights [n_outputs, channels, height, width] are wanted. */
struct eng_patch_kernel {
    size_t n_outputs, height, width;
    double epsilon; /* added to the eigenvalues */
};

/*
 * Purpose: overwrites the first min(n_outputs, 2 d) of the kernel's outputs, d = channels x height
 *          x width: the eigenvectors of the covariance of the pictures' patches, those of the
 *          largest eigenvalues first, each divided by sqrt(eigenvalue + epsilon); then the same
 *          with the other sign. Outputs beyond 2 d stay as they are.
 * Errors: FORMAT: d above ENG_EIGEN_MAX_SIDE, a kernel larger than the pictures, samples that are
 *         vectors; NO_MEMORY.
 * Cost: at most 4e9 multiply-adds, over as many of the first pictures as that allows, at most 5000.
 * Source: Page, "How to train your ResNet 8: bag of tricks", 2019; Jordan, "94% on CIFAR-10 in 3.29
 * seconds on a single GPU", 2024.
 */
enum eng_status eng_whitening_fill(const struct eng_patch_source *source,
                                   const struct eng_patch_kernel *kernel, float *weights,
                                   struct eng_error *err);

#endif
