/* Numbers that clients send, of whatever type, as the floats that models take. */
#ifndef SRV_SERVE_TENSOR_H
#define SRV_SERVE_TENSOR_H

#include "engine/tensor.h"

/* Purpose: bytes of an element of a type that srv_tensor_read takes: every number of struct
 * eng_tensor; 0: it does not. */
size_t srv_tensor_bytes(enum eng_dtype dtype);

/*
 * Purpose: n elements as floats, each rounded to the nearest; beyond their range infinite. from
 * holds them little-endian, at any address.
 * Cost: a nanosecond or less an element.
 */
void srv_tensor_read(enum eng_dtype dtype, const void *from, size_t n, float *to);

/* Purpose: the first value that is not finite or, for a graph of bytes, no whole number of 0 to
 * 255. Returns n if there is none. */
size_t srv_tensor_find_bad(const float *values, size_t n, bool wants_bytes);

#endif
