#include "npy.h"

#include "base/cursor.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "elements are copied as they are");

enum {
    MAX_HEADER_BYTES = 65536,
    MAX_WORD_BYTES = 32, /* of a key or a descr */
    DATA_ALIGN = 64,     /* numpy pads the header so that elements start aligned */
    PREFIX_BYTES = 10,   /* version 1: magic, version, length */
};

static const size_t max_file_bytes = (size_t)4 << 30;
static const char magic[6] = "\x93NUMPY";

static const struct {
    const char *descr;
    enum eng_dtype dtype;
} types[] = {
    {"<f4", ENG_FLOAT32}, {"<f8", ENG_FLOAT64}, {"<f2", ENG_FLOAT16}, {"|b1", ENG_BOOL},
    {"|i1", ENG_INT8},    {"<i2", ENG_INT16},   {"<i4", ENG_INT32},   {"<i8", ENG_INT64},
    {"|u1", ENG_UINT8},   {"<u2", ENG_UINT16},  {"<u4", ENG_UINT32},  {"<u8", ENG_UINT64},
};

enum { N_TYPES = sizeof types / sizeof types[0] };

struct header {
    struct eng_tensor tensor; /* no data */
    bool fortran_order;
};

enum header_key { KEY_DESCR = 1, KEY_FORTRAN_ORDER = 2, KEY_SHAPE = 4, ALL_KEYS = 7 };

/* --- reading the header's Python literal --- */

static void skip_space(struct eng_cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n'))
        c->at++;
}

/* Skips blanks, then takes the character if it is the next one. */
static bool take_char(struct eng_cursor *c, char wanted)
{
    skip_space(c);
    if (c->at == c->end || *c->at != (uint8_t)wanted) return false;
    c->at++;
    return true;
}

static bool take_word(struct eng_cursor *c, const char *wanted)
{
    size_t n = strlen(wanted);
    skip_space(c);
    if (eng_cursor_left(c) < n || memcmp(c->at, wanted, n) != 0) return false;
    c->at += n;
    return true;
}

/* A quoted string without escapes, cut out into word. */
static bool take_string(struct eng_cursor *c, char word[MAX_WORD_BYTES])
{
    char quote = take_char(c, '\'') ? '\'' : '"';
    if (quote == '"' && !take_char(c, '"')) return false;
    size_t n = 0;
    for (; c->at < c->end && *c->at != (uint8_t)quote; c->at++) {
        if (n == MAX_WORD_BYTES - 1 || *c->at < ' ' || *c->at > '~' || *c->at == '\\') return false;
        word[n++] = (char)*c->at;
    }
    word[n] = '\0';
    return take_char(c, quote);
}

static bool take_dimension(struct eng_cursor *c, int64_t *out)
{
    const uint8_t *start;
    int64_t value = 0;
    skip_space(c);
    for (start = c->at; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *c->at - '0', &value))
            return false;
    *out = value;
    return c->at != start;
}

static enum eng_status parse_descr(struct eng_cursor *c, struct header *h, struct eng_error *err)
{
    char word[MAX_WORD_BYTES];
    if (!take_string(c, word))
        return eng_fail(err, ENG_UNSUPPORTED, "npy: 'descr' is not one plain element type");
    for (size_t i = 0; i < N_TYPES; i++) {
        /* For one-byte types numpy writes '|', but '<' says the same. */
        bool same_order =
            word[0] == types[i].descr[0] || (word[0] == '<' && types[i].descr[0] == '|');
        if (same_order && strcmp(word + 1, types[i].descr + 1) == 0) {
            h->tensor.dtype = types[i].dtype;
            return ENG_OK;
        }
    }
    if (word[0] == '>')
        return eng_fail(err, ENG_UNSUPPORTED, "npy: elements are big endian ('%s'), wanted '<'",
                        word);
    return eng_fail(err, ENG_UNSUPPORTED, "npy: element type '%s' is not supported", word);
}

/* () or (3,) or (3, 4) or (3, 4,) */
static enum eng_status parse_shape(struct eng_cursor *c, struct header *h, struct eng_error *err)
{
    struct eng_shape shape = {0};
    bool comma = true;
    if (!take_char(c, '(')) return eng_fail(err, ENG_FORMAT, "npy: 'shape' is not a tuple");
    while (!take_char(c, ')')) {
        if (!comma) return eng_fail(err, ENG_FORMAT, "npy: 'shape' lacks a comma");
        if (shape.rank == ENG_MAX_RANK)
            return eng_fail(err, ENG_UNSUPPORTED, "npy: 'shape' has more than %d dimensions",
                            ENG_MAX_RANK);
        if (!take_dimension(c, &shape.dim[shape.rank++]))
            return eng_fail(err, ENG_FORMAT,
                            "npy: dimension %d of 'shape' is no number in 0..2^63-1",
                            shape.rank - 1);
        comma = take_char(c, ',');
    }
    if (shape.rank == 1 && !comma)
        return eng_fail(err, ENG_FORMAT, "npy: 'shape' is a number in brackets, wanted a tuple");
    h->tensor.shape = shape;
    return ENG_OK;
}

static enum eng_status parse_fortran_order(struct eng_cursor *c, struct header *h,
                                           struct eng_error *err)
{
    h->fortran_order = take_word(c, "True");
    if (!h->fortran_order && !take_word(c, "False"))
        return eng_fail(err, ENG_FORMAT, "npy: 'fortran_order' is neither True nor False");
    return ENG_OK;
}

/* One "'key': value"; its bit is added to *seen. */
static enum eng_status parse_entry(struct eng_cursor *c, struct header *h, unsigned *seen,
                                   struct eng_error *err)
{
    static const struct {
        const char *name;
        enum header_key key;
        enum eng_status (*parse)(struct eng_cursor *c, struct header *h, struct eng_error *err);
    } keys[] = {{"descr", KEY_DESCR, parse_descr},
                {"fortran_order", KEY_FORTRAN_ORDER, parse_fortran_order},
                {"shape", KEY_SHAPE, parse_shape}};
    char word[MAX_WORD_BYTES];
    if (!take_string(c, word) || !take_char(c, ':'))
        return eng_fail(err, ENG_FORMAT, "npy: the header is not a dict of 'key': value");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strcmp(keys[i].name, word) != 0) continue;
        if (*seen & keys[i].key)
            return eng_fail(err, ENG_FORMAT, "npy: the header has '%s' twice", word);
        *seen |= keys[i].key;
        return keys[i].parse(c, h, err);
    }
    return eng_fail(err, ENG_FORMAT,
                    "npy: the header has the key '%s', wanted descr, fortran_order and shape",
                    word);
}

static enum eng_status parse_dict(struct eng_cursor *c, struct header *out, struct eng_error *err)
{
    struct header h = {0};
    unsigned seen = 0;
    bool comma = true;
    if (!take_char(c, '{')) return eng_fail(err, ENG_FORMAT, "npy: the header is not a dict");
    while (!take_char(c, '}')) {
        if (!comma) return eng_fail(err, ENG_FORMAT, "npy: the header lacks a comma or its '}'");
        enum eng_status status = parse_entry(c, &h, &seen, err);
        if (status) return status;
        comma = take_char(c, ',');
    }
    skip_space(c);
    if (eng_cursor_left(c))
        return eng_fail(err, ENG_FORMAT, "npy: %zu bytes follow the header's dict",
                        eng_cursor_left(c));
    if (seen != ALL_KEYS)
        return eng_fail(err, ENG_FORMAT, "npy: the header lacks '%s'",
                        !(seen & KEY_DESCR)           ? "descr"
                        : !(seen & KEY_FORTRAN_ORDER) ? "fortran_order"
                                                      : "shape");
    *out = h;
    return ENG_OK;
}

/* Magic, version, length and dict; leaves c at the elements. */
static enum eng_status parse_header(struct eng_cursor *c, struct header *out, struct eng_error *err)
{
    const uint8_t *start = eng_cursor_take(c, sizeof magic);
    if (!start || memcmp(start, magic, sizeof magic) != 0)
        return eng_fail(err, ENG_FORMAT, "npy: the file does not start with \\x93NUMPY");
    uint8_t major = eng_cursor_u8(c), minor = eng_cursor_u8(c);
    if (!c->failed && (major < 1 || major > 3 || minor != 0))
        return eng_fail(err, ENG_UNSUPPORTED, "npy: version %d.%d, wanted 1.0, 2.0 or 3.0", major,
                        minor);
    size_t n_bytes = eng_cursor_le16(c);
    if (major > 1) n_bytes |= (size_t)eng_cursor_le16(c) << 16;
    if (n_bytes > MAX_HEADER_BYTES)
        return eng_fail(err, ENG_FORMAT, "npy: the header has %zu bytes, wanted at most %d",
                        n_bytes, MAX_HEADER_BYTES);
    const uint8_t *text = eng_cursor_take(c, n_bytes);
    if (!text) return eng_fail(err, ENG_FORMAT, "npy: the header is truncated");
    struct eng_cursor dict = eng_cursor_over(text, n_bytes);
    return parse_dict(&dict, out, err);
}

/* --- the elements --- */

/* src: the first index runs fastest; dst: the last one. */
static void copy_fortran(const uint8_t *src, uint8_t *dst, const struct eng_shape *shape,
                         size_t element_bytes)
{
    size_t index[ENG_MAX_RANK] = {0}, stride[ENG_MAX_RANK], n = 1, from = 0;
    for (int k = 0; k < shape->rank; k++) {
        stride[k] = n;
        n *= (size_t)shape->dim[k];
    }
    for (size_t to = 0; to < n; to++) {
        memcpy(dst + to * element_bytes, src + from * element_bytes, element_bytes);
        for (int k = shape->rank - 1; k >= 0; k--) {
            from += stride[k];
            if (++index[k] < (size_t)shape->dim[k]) break;
            from -= stride[k] * index[k];
            index[k] = 0;
        }
    }
}

static enum eng_status check_bools(const uint8_t *bytes, size_t n, struct eng_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] > 1)
            return eng_fail(err, ENG_FORMAT,
                            "npy: element %zu of a bool array is %d, wanted 0 or 1", i, bytes[i]);
    return ENG_OK;
}

enum eng_status tool_npy_parse(const void *bytes, size_t n_bytes, struct eng_tensor *out,
                               struct eng_error *err)
{
    struct eng_cursor c = eng_cursor_over(bytes, n_bytes);
    struct header h;
    enum eng_status status = parse_header(&c, &h, err);
    if (status) return status;
    char shape[128];
    int64_t wanted = eng_tensor_bytes(&h.tensor);
    size_t left = eng_cursor_left(&c);
    eng_shape_format(&h.tensor.shape, shape, sizeof shape);
    if (wanted < 0)
        return eng_fail(err, ENG_FORMAT, "npy: the shape %s has too many elements", shape);
    if ((size_t)wanted != left)
        return eng_fail(err, ENG_FORMAT, "npy: %zu bytes of elements, %s %s wants %lld", left,
                        eng_dtype_name(h.tensor.dtype), shape, (long long)wanted);
    if (h.tensor.dtype == ENG_BOOL && (status = check_bools(c.at, left, err))) return status;
    void *data = malloc(left ? left : 1);
    if (!data) return eng_fail_memory(err, "a npy array's elements");
    if (h.fortran_order)
        copy_fortran(c.at, data, &h.tensor.shape, eng_dtype_bytes(h.tensor.dtype));
    else if (left)
        memcpy(data, c.at, left);
    h.tensor.data = data;
    *out = h.tensor;
    return ENG_OK;
}

enum eng_status tool_npy_load(const char *path, struct eng_tensor *out, struct eng_error *err)
{
    struct eng_file file;
    enum eng_status status = eng_file_read(path, max_file_bytes, &file, err);
    if (status) return status;
    status = tool_npy_parse(file.bytes, file.n_bytes, out, err);
    if (status) eng_error_context(err, "%s", path);
    eng_file_fini(&file);
    return status;
}

/* --- writing --- */

/* "(2, 3, )" is a tuple to Python too, so every dimension may end in a comma. */
static int format_dict(const struct eng_tensor *tensor, const char *descr, char *text, size_t n)
{
    int used = snprintf(text, n, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
    for (int k = 0; k < tensor->shape.rank; k++)
        used += snprintf(text + used, n - (size_t)used, "%lld, ", (long long)tensor->shape.dim[k]);
    return used + snprintf(text + used, n - (size_t)used, "), }");
}

enum eng_status tool_npy_format(const struct eng_tensor *tensor, uint8_t **bytes, size_t *n_bytes,
                                struct eng_error *err)
{
    const char *descr = NULL;
    for (size_t i = 0; i < N_TYPES; i++)
        if (types[i].dtype == tensor->dtype) descr = types[i].descr;
    int64_t data_bytes = eng_tensor_bytes(tensor);
    if (!descr || data_bytes < 0)
        return eng_fail(err, ENG_ARGUMENT,
                        "npy: a tensor of type %s or its shape cannot be written",
                        eng_dtype_name(tensor->dtype));
    char text[320]; /* rank 8 x 21 characters and the keys fit */
    size_t n_text = (size_t)format_dict(tensor, descr, text, sizeof text);
    size_t start = (PREFIX_BYTES + n_text + 1 + DATA_ALIGN - 1) / DATA_ALIGN * DATA_ALIGN;
    uint8_t *file = malloc(start + (size_t)data_bytes);
    if (!file) return eng_fail_memory(err, "a npy file");
    size_t header_bytes = start - PREFIX_BYTES;
    memcpy(file, magic, sizeof magic);
    memcpy(file + sizeof magic,
           (uint8_t[]){1, 0, (uint8_t)header_bytes, (uint8_t)(header_bytes >> 8)},
           PREFIX_BYTES - sizeof magic);
    memset(file + PREFIX_BYTES, ' ', header_bytes);
    memcpy(file + PREFIX_BYTES, text, n_text);
    file[start - 1] = '\n';
    if (data_bytes) memcpy(file + start, tensor->data, (size_t)data_bytes);
    *bytes = file;
    *n_bytes = start + (size_t)data_bytes;
    return ENG_OK;
}

enum eng_status tool_npy_save(const char *path, const struct eng_tensor *tensor,
                              struct eng_error *err)
{
    uint8_t *bytes;
    size_t n_bytes;
    enum eng_status status = tool_npy_format(tensor, &bytes, &n_bytes, err);
    if (status) return status;
    status = eng_file_write(path, bytes, n_bytes, err);
    free(bytes);
    return status;
}
