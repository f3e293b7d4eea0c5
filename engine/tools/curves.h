/* How a training run went, as a picture: loss and accuracy over the epochs. */
#ifndef TOOLS_CURVES_H
#define TOOLS_CURVES_H

#include "engine/train.h"

#include <stddef.h>

/*
 * Purpose: the report's epochs as an SVG: loss and, unless it is a regression, accuracy beside it;
 *          training, validation and test each with a line, as far as they were measured. More than
 *          TOOL_CURVES_MAX_POINTS epochs are thinned out evenly; the last one always shows. Losses
 *          of very different size stand on a logarithmic scale. A dashed line marks the epoch whose
 *          weights were kept, unless it is the last.
 * Ownership: *svg is malloc'd, the caller frees it.
 * Errors: ARGUMENT (no epochs), NO_MEMORY. The same report gives the same text.
 * Source: SVG 1.1. The colours are those of Okabe and Ito, which colour-blind people tell apart.
 */
enum eng_status tool_curves_svg(const struct eng_train_report *report, char **svg, size_t *n_bytes,
                                struct eng_error *err);

enum { TOOL_CURVES_MAX_POINTS = 1000 };

/* A scale with round numbers at its marks. */
struct tool_axis {
    double low, high, step; /* marks: low, low + step ... high */
};

/*
 * Purpose: the axis that holds [least, most] with at most n_marks marks, n_marks >= 2, whose step
 * is 1, 2 or 5 times a power of ten and at least least_step.
 */
struct tool_axis tool_axis_fit(double least, double most, int n_marks, double least_step);

#endif
