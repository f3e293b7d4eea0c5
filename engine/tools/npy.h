/*
 * NumPy's .npy files <-> tensors.
 * Source: NEP 1 / numpy.lib.format. A file is "\x93NUMPY", major, minor, the header's length (2
 * bytes little endian in version 1, 4 in 2 and 3), the header - a Python dict literal such as
 * {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } - and the elements.
 * Read: versions 1 to 3, little endian, C or Fortran order. Written: version 1, C order.
 */
#ifndef TOOLS_NPY_H
#define TOOLS_NPY_H

#include "engine/status.h"
#include "engine/tensor.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Purpose: reads one array; Fortran order is transposed to C order.
 * Ownership: out->data is malloc'd, the caller frees it.
 * Errors: FORMAT (malformed, truncated, trailing bytes), UNSUPPORTED (version, big endian, element
 *         type, more than ENG_MAX_RANK dimensions), NO_MEMORY.
 */
enum eng_status tool_npy_parse(const void *bytes, size_t n_bytes, struct eng_tensor *out,
                               struct eng_error *err);

/* Purpose: the same from a file of at most 4 GiB; the sentence names the path. Also IO, NOT_FOUND,
 * LIMIT. */
enum eng_status tool_npy_load(const char *path, struct eng_tensor *out, struct eng_error *err);

/*
 * Purpose: the file's bytes for a tensor.
 * Ownership: *bytes is malloc'd, the caller frees it. Errors: ARGUMENT (shape or type), NO_MEMORY.
 */
enum eng_status tool_npy_format(const struct eng_tensor *tensor, uint8_t **bytes, size_t *n_bytes,
                                struct eng_error *err);

/* Purpose: writes the file, replacing it atomically. */
enum eng_status tool_npy_save(const char *path, const struct eng_tensor *tensor,
                              struct eng_error *err);

#endif
