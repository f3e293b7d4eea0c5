/* IEEE 754 binary16. */
#ifndef ENG_BASE_HALF_H
#define ENG_BASE_HALF_H

#include <stdint.h>

/* Purpose: widens exactly; infinities and NaN stay what they are. */
float eng_half_to_float(uint16_t half);

#endif
