#include "base/digits.h"

#include <string.h>

size_t srv_decimal(int64_t value, char to[SRV_DECIMAL_CHARS])
{
    char digits[SRV_DECIMAL_CHARS];
    size_t first = sizeof digits;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        digits[--first] = (char)('0' + left % 10);
    while (left /= 10);
    if (value < 0) digits[--first] = '-';
    memcpy(to, digits + first, sizeof digits - first);
    return sizeof digits - first;
}

void srv_hex(uint64_t value, char to[SRV_HEX_CHARS])
{
    for (size_t i = SRV_HEX_CHARS; i-- > 0; value >>= 4)
        to[i] = "0123456789abcdef"[value & 15];
}
