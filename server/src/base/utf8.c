#include "base/utf8.h"

size_t srv_utf8_bytes(const char *text, size_t n)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high, length;
    } rows[] = {
        {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
        {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
        {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    const unsigned char *p = (const unsigned char *)text;
    if (p[0] < 0x80) return 1;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (p[0] < rows[i].first_low || p[0] > rows[i].first_high) continue;
        size_t length = rows[i].length;
        if (n < length || p[1] < rows[i].second_low || p[1] > rows[i].second_high) return 0;
        for (size_t k = 2; k < length; k++)
            if ((p[k] & 0xC0) != 0x80) return 0;
        return length;
    }
    return 0;
}

size_t srv_utf8_encode(uint32_t character, char to[4])
{
    if (character < 0x80) {
        to[0] = (char)character;
        return 1;
    }
    size_t n = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; character >>= 6)
        to[i] = (char)(0x80 | (character & 0x3F));
    to[0] = (char)((0xF00u >> n & 0xF0) | character);
    return n;
}
