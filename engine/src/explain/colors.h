/* Colors for numbers: equal steps of a number look like equal steps of colour. */
#ifndef ENG_EXPLAIN_COLORS_H
#define ENG_EXPLAIN_COLORS_H

#include <stddef.h>
#include <stdint.h>

struct eng_explain_color {
    uint8_t rgb[3];
};

/* Purpose: 0 dark blue, through magenta, to 1 yellow; lightness rises evenly, so that the order is
 * seen without colour too. */
struct eng_explain_color eng_explain_rising_color(double share);

/* Purpose: red for what is above 0, blue of the same lightness for what is below. */
struct eng_explain_color eng_explain_sign_color(double value);

/* Purpose: a colour for each class, the first eight easy to tell apart; later ones come again,
 * paler. */
struct eng_explain_color eng_explain_class_color(size_t class_index);

#endif
