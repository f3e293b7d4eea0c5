/* IEEE 754 binary16. */
#ifndef ENG_BASE_HALF_H
#define ENG_BASE_HALF_H

#include <stdint.h>

/* Purpose: widens exactly; infinities and NaN stay what they are. */
float eng_half_to_float(uint16_t half);

/* Purpose: the nearest binary16, widened; halves go to the even neighbour, from 65520 on to
 * infinity. */
float eng_half_round(float x);

#endif
