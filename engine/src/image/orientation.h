/* Which way up a camera held a picture. */
#ifndef ENG_IMAGE_ORIENTATION_H
#define ENG_IMAGE_ORIENTATION_H

#include "engine/image.h"

/*
 * Purpose: the orientation, 1 to 8, in the first Exif segment of a JPEG; 1 if there is none or it
 * is damaged: then the pixels are taken as they are. Cost: looks at the segments before the image
 * data and at the first directory. Never fails. Source: Exif 2.3 (tag 0x0112), TIFF 6.0.
 */
unsigned eng_orientation_read(const void *jpeg, size_t n_bytes);

/*
 * Purpose: turns and mirrors pixels of that orientation upright.
 * Errors: NO_MEMORY; the image is unchanged then. Cost: a second picture, unless it is upright.
 */
enum eng_status eng_orientation_apply(struct eng_image *image, unsigned orientation,
                                      struct eng_error *err);

#endif
