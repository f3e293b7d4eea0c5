#include "ops/einsum_equation.h"

#include "base/error.h"

#include <string.h>

enum { FIRST_ELLIPSIS = 2 * 26, NO_ELLIPSIS = -1 };

/* One term as it is written. */
struct written {
    int n_letters;
    uint8_t letter[ENG_MAX_RANK];
    int ellipsis; /* before which letter, or NO_ELLIPSIS */
};

struct reader {
    const char *equation, *at;
    int n_ellipsis; /* dimensions that "..." stands for: the most of any operand */
    struct eng_error *err;
};

static enum eng_status fail(const struct reader *r, const char *what)
{
    return eng_fail(r->err, ENG_FORMAT, "equation '%.100s' %s", r->equation, what);
}

static int label_of(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return 26 + c - 'a';
    return -1;
}

/* Up to a comma, an arrow or the end. */
static enum eng_status read_term(struct reader *r, struct written *out)
{
    *out = (struct written){.ellipsis = NO_ELLIPSIS};
    for (; *r->at && *r->at != ',' && *r->at != '-'; r->at++) {
        if (*r->at == ' ') continue;
        if (strncmp(r->at, "...", 3) == 0) {
            if (out->ellipsis != NO_ELLIPSIS) return fail(r, "has two ellipses in one term");
            out->ellipsis = out->n_letters;
            r->at += 2;
            continue;
        }
        int label = label_of(*r->at);
        if (label < 0)
            return eng_fail(r->err, ENG_FORMAT,
                            "equation '%.100s' holds '%.1s', which is no letter", r->equation,
                            r->at);
        if (out->n_letters == ENG_MAX_RANK) return fail(r, "has a term of more than 8 letters");
        out->letter[out->n_letters++] = (uint8_t)label;
    }
    return ENG_OK;
}

/* Labels of a term whose ellipsis stands for n dimensions: the last ones of all. */
static void expand(const struct reader *r, const struct written *written, int n,
                   struct eng_einsum_term *out)
{
    *out = (struct eng_einsum_term){0};
    for (int i = 0; i <= written->n_letters; i++) {
        for (int k = 0; i == written->ellipsis && k < n; k++)
            out->label[out->n++] = (uint8_t)(FIRST_ELLIPSIS + r->n_ellipsis - n + k);
        if (i < written->n_letters) out->label[out->n++] = written->letter[i];
    }
}

/* Sizes agree, or are 1 in some operands. */
static enum eng_status merge_size(const struct reader *r, int64_t dim, int64_t *size)
{
    if (dim == *size || dim == 1) return ENG_OK;
    if (*size != 1)
        return eng_fail(r->err, ENG_FORMAT,
                        "equation '%.100s': one label has the sizes %lld and %lld", r->equation,
                        (long long)*size, (long long)dim);
    *size = dim;
    return ENG_OK;
}

static enum eng_status read_operands(struct reader *r, const struct eng_shape *shapes,
                                     size_t n_shapes, struct eng_einsum *out)
{
    struct written written[ENG_EINSUM_TERMS];
    for (size_t i = 0; i < n_shapes; i++) {
        enum eng_status status = read_term(r, &written[i]);
        if (status != ENG_OK) return status;
        bool is_last = i + 1 == n_shapes;
        if (is_last ? *r->at == ',' : *r->at != ',')
            return eng_fail(r->err, ENG_FORMAT,
                            "equation '%.100s' does not have one term for each of the %zu operands",
                            r->equation, n_shapes);
        r->at += !is_last;
        int rest = shapes[i].rank - written[i].n_letters;
        if (rest < 0 || (rest > 0 && written[i].ellipsis == NO_ELLIPSIS)) {
            char text[96];
            return eng_fail(r->err, ENG_FORMAT, "equation '%.100s': term %zu does not fit shape %s",
                            r->equation, i, eng_shape_format(&shapes[i], text, sizeof text));
        }
        if (rest > r->n_ellipsis) r->n_ellipsis = rest;
    }
    for (int label = 0; label < ENG_EINSUM_LABELS; label++)
        out->size[label] = 1;
    for (size_t i = 0; i < n_shapes; i++) {
        expand(r, &written[i], shapes[i].rank - written[i].n_letters, &out->in[i]);
        for (int d = 0; d < shapes[i].rank; d++) {
            enum eng_status status =
                merge_size(r, shapes[i].dim[d], &out->size[out->in[i].label[d]]);
            if (status != ENG_OK) return status;
        }
    }
    return ENG_OK;
}

static int count_label(const struct eng_einsum_term *term, int label)
{
    int n = 0;
    for (int d = 0; d < term->n; d++)
        n += term->label[d] == label;
    return n;
}

static int count_everywhere(const struct eng_einsum *e, int label)
{
    int n = 0;
    for (int i = 0; i < e->n_terms; i++)
        n += count_label(&e->in[i], label);
    return n;
}

static enum eng_status check_output(const struct reader *r, const struct eng_einsum *e)
{
    for (int d = 0; d < e->out.n; d++) {
        if (count_label(&e->out, e->out.label[d]) > 1)
            return fail(r, "repeats a letter in the result");
        if (e->out.label[d] < FIRST_ELLIPSIS && count_everywhere(e, e->out.label[d]) == 0)
            return fail(r, "has a letter in the result that no operand has");
    }
    return ENG_OK;
}

static enum eng_status read_output(struct reader *r, struct eng_einsum *e)
{
    struct written written;
    if (strncmp(r->at, "->", 2) != 0) return fail(r, "has a '-' that is no '->'");
    r->at += 2;
    enum eng_status status = read_term(r, &written);
    if (status != ENG_OK) return status;
    if (*r->at) return fail(r, "has more than one result");
    int n = written.ellipsis == NO_ELLIPSIS ? 0 : r->n_ellipsis;
    if (written.n_letters + n > ENG_MAX_RANK)
        return eng_fail(r->err, ENG_UNSUPPORTED,
                        "the result has %d dimensions; at most %d are wanted",
                        written.n_letters + n, ENG_MAX_RANK);
    expand(r, &written, n, &e->out);
    return check_output(r, e);
}

static enum eng_status implied_output(const struct reader *r, struct eng_einsum *e)
{
    for (int k = 0; k < ENG_EINSUM_LABELS; k++) {
        int label = (k + FIRST_ELLIPSIS) % ENG_EINSUM_LABELS; /* the ellipsis first */
        bool is_out = label >= FIRST_ELLIPSIS ? label < FIRST_ELLIPSIS + r->n_ellipsis
                                              : count_everywhere(e, label) == 1;
        if (!is_out) continue;
        if (e->out.n == ENG_MAX_RANK)
            return eng_fail(r->err, ENG_UNSUPPORTED, "the result has more than %d dimensions",
                            ENG_MAX_RANK);
        e->out.label[e->out.n++] = (uint8_t)label;
    }
    return ENG_OK;
}

enum eng_status eng_einsum_read(const char *equation, const struct eng_shape *shapes,
                                size_t n_shapes, struct eng_einsum *out, struct eng_error *err)
{
    struct reader r = {.equation = equation, .at = equation, .err = err};
    struct eng_einsum e = {.n_terms = (int)n_shapes};
    if (n_shapes > ENG_EINSUM_TERMS)
        return eng_fail(err, ENG_UNSUPPORTED, "has %zu operands; at most %d are wanted", n_shapes,
                        ENG_EINSUM_TERMS);
    enum eng_status status = read_operands(&r, shapes, n_shapes, &e);
    if (status == ENG_OK) status = *r.at ? read_output(&r, &e) : implied_output(&r, &e);
    if (status == ENG_OK) *out = e;
    return status;
}
