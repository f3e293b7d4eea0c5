#include "base/digits.h"

static size_t count_digits(uint64_t value)
{
    size_t n = 1;
    for (; value >= 10; value /= 10)
        n++;
    return n;
}

size_t srv_decimal(int64_t value, char to[SRV_DECIMAL_CHARS])
{
    size_t n_signs = value < 0;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    size_t n = n_signs + count_digits(left);
    to[0] = '-';
    for (size_t i = n; i-- > n_signs; left /= 10)
        to[i] = (char)('0' + left % 10);
    return n;
}

void srv_hex(uint64_t value, char to[SRV_HEX_CHARS])
{
    for (size_t i = SRV_HEX_CHARS; i-- > 0; value >>= 4)
        to[i] = "0123456789abcdef"[value & 15];
}
