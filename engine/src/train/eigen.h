/* Eigenvectors of small symmetric matrices. */
#ifndef ENG_TRAIN_EIGEN_H
#define ENG_TRAIN_EIGEN_H

#include <stddef.h>

enum { ENG_EIGEN_MAX_SIDE = 256 };

/*
 * Purpose: all eigenvalues of a symmetric matrix, the largest first, and an eigenvector of length 1
 *          for each, whose largest element is positive.
 * Shapes: matrix [n, n], overwritten; values [n]; vectors [n, n], one per row. n at most
 * ENG_EIGEN_MAX_SIDE. Cost: some 10 n^3. Threads: any; the same input gives the same bits. Source:
 * cyclic Jacobi rotations (Golub and Van Loan, Matrix Computations, 8.5).
 */
void eng_eigen_symmetric(double *matrix, size_t n, double *values, double *vectors);

#endif
