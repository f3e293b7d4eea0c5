/* Whole numbers as digits, for what every request writes: printf takes most of a microsecond. */
#ifndef SRV_BASE_DIGITS_H
#define SRV_BASE_DIGITS_H

#include <stddef.h>
#include <stdint.h>

enum { SRV_DECIMAL_CHARS = 20, SRV_HEX_CHARS = 16 };

/* Purpose: as printf's %lld, without a NUL. Returns how many bytes it wrote. */
size_t srv_decimal(int64_t value, char to[SRV_DECIMAL_CHARS]);

/* Purpose: as printf's %016llx, without a NUL. */
void srv_hex(uint64_t value, char to[SRV_HEX_CHARS]);

#endif
