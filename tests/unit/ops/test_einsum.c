#include "op_battery.h"

enum { MAX_LABELS = 24, ALL = OP_MAX_IN + 1 };

/* The equation with a digit for each dimension of an ellipsis: terms of the operands, then of the
 * result. */
struct terms {
    char text[ALL][MAX_LABELS];
    bool has_result;
};

static void append(char *text, char c)
{
    size_t n = strlen(text);
    assert_true(n + 1 < MAX_LABELS);
    text[n] = c;
}

static void read_terms(const struct op_case *c, struct terms *t)
{
    memset(t, 0, sizeof *t);
    int most = 0;
    for (int pass = 0; pass < 2; pass++) { /* the first finds how much an ellipsis stands for */
        size_t i = 0;
        memset(t->text, 0, sizeof t->text);
        for (const char *at = op_attr(c, "equation")->s; *at; at++) {
            if (*at == ',') i++;
            if (*at == '-') t->has_result = true;
            if (*at == '-') i = c->n_in;
            if (*at == '.') {
                int letters = 0;
                for (const char *x = at;
                     x > op_attr(c, "equation")->s && x[-1] != ',' && x[-1] != '>'; x--)
                    letters += x[-1] >= 'A';
                for (const char *x = at; *x && *x != ',' && *x != '-'; x++)
                    letters += *x >= 'A';
                int n = i < c->n_in ? c->in[i].shape.rank - letters : most;
                if (n > most) most = n;
                for (int k = 0; k < n; k++)
                    append(t->text[i], (char)('0' + most - n + k));
                at += 2;
            }
            if (*at >= 'A') append(t->text[i], *at);
        }
    }
    for (char x = '0'; !t->has_result && x <= 'z'; x++) {
        int n = 0;
        for (size_t i = 0; i < c->n_in; i++)
            for (const char *at = t->text[i]; *at; at++)
                n += *at == x;
        if (n == 1 || (n > 1 && x <= '9')) append(t->text[c->n_in], x);
    }
}

/* Every combination of all labels, the result's in front: products are added where they belong. */
static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    struct terms t;
    int64_t size[128] = {0}, index[128] = {0};
    char labels[128] = "";
    read_terms(c, &t);
    for (size_t i = 0; i < c->n_in; i++)
        for (int d = 0; t.text[i][d]; d++) {
            int x = t.text[i][d];
            if (in[i].shape.dim[d] > size[x]) size[x] = in[i].shape.dim[d];
            if (!strchr(labels, x)) labels[strlen(labels)] = (char)x;
        }
    struct eng_shape y = {.rank = (int)strlen(t.text[c->n_in])};
    for (int d = 0; d < y.rank; d++)
        y.dim[d] = size[(int)t.text[c->n_in][d]];
    op_values_init(&out[0], y);
    for (bool more = true; more;) {
        double product = 1;
        size_t place = 0;
        for (size_t i = 0; i < c->n_in; i++) {
            size_t at = 0;
            for (int d = 0; t.text[i][d]; d++) {
                size_t dim = (size_t)in[i].shape.dim[d];
                at = at * dim + (dim == 1 ? 0 : (size_t)index[(int)t.text[i][d]]);
            }
            product *= in[i].v[at];
        }
        for (int d = 0; d < y.rank; d++)
            place = place * (size_t)y.dim[d] + (size_t)index[(int)t.text[c->n_in][d]];
        out[0].v[place] += product;
        more = false;
        for (int k = 0; !more && labels[k]; k++) {
            more = ++index[(int)labels[k]] < size[(int)labels[k]];
            if (!more) index[(int)labels[k]] = 0;
        }
    }
}

#define GOOD(EQUATION, N)                                                           \
    .op = "Einsum", .what = EQUATION, .attrs = {ATTR_STRING("equation", EQUATION)}, \
    .reference = reference, .n_in = N
#define BAD(EQUATION, N) \
    .op = "Einsum", .what = EQUATION, .attrs = {ATTR_STRING("equation", EQUATION)}, .n_in = N

static const struct op_case cases[] = {
    {GOOD("bhid,bhjd->bhij", 2), .in = {FLOATS(2, 3, 4, 5), FLOATS(2, 3, 6, 5)}, .gradients = 3,
     .batched = 3},
    {GOOD("bhij,bhjd->bhid", 2), .in = {FLOATS(2, 3, 4, 6), FLOATS(2, 3, 6, 5)}, .gradients = 3,
     .batched = 3},
    {GOOD("bhid,bhjd->bihj", 2), .in = {FLOATS(2, 3, 4, 5), FLOATS(2, 3, 6, 5)}, .gradients = 3},
    {GOOD("bnqd,bnkd->bnqk", 2), .in = {FLOATS(2, 4, 50, 64), FLOATS(2, 4, 50, 64)}, .batched = 3},
    {GOOD("bij,bjk->bik", 2), .in = {FLOATS(2, 3, 4), FLOATS(2, 4, 5)}, .gradients = 3},
    {GOOD("ij->ji", 1), .in = {FLOATS(3, 4)}, .gradients = 1},
    {GOOD("ij->i", 1), .in = {FLOATS(3, 4)}, .gradients = 1, .batched = 1},
    {GOOD("ij->", 1), .in = {FLOATS(3, 4)}, .gradients = 1},
    {GOOD("...ii->...i", 1), .in = {FLOATS(2, 3, 3)}, .gradients = 1},
    {GOOD("ii", 1), .in = {FLOATS(3, 3)}, .gradients = 1},
    {GOOD("i,i", 2), .in = {FLOATS(5), FLOATS(5)}, .gradients = 3},
    {GOOD("i,j->ij", 2), .in = {FLOATS(5), FLOATS(4)}, .gradients = 3},
    {GOOD("i,j->", 2), .in = {FLOATS(5), FLOATS(4)}, .gradients = 3},
    {GOOD("ba, cb", 2), .in = {FLOATS(3, 4), FLOATS(2, 3)}, .gradients = 3},
    {GOOD("Ab,bC", 2), .in = {FLOATS(3, 4), FLOATS(4, 2)}, .gradients = 3},
    {GOOD("bij,kj->b", 2), .in = {FLOATS(2, 3, 4), FLOATS(5, 4)}, .gradients = 3, .batched = 1},
    {GOOD("...ij,...jk->...ik", 2), .in = {FLOATS(2, 3, 4, 5), FLOATS(3, 5, 2)}, .gradients = 3},
    {GOOD("...ij,...jk", 2), .in = {FLOATS(2, 1, 4, 5), FLOATS(3, 5, 2)}, .gradients = 3},
    {GOOD("i...,j...->...", 2), .in = {FLOATS(2, 3, 1), FLOATS(4, 1, 5)}, .gradients = 3},
    {GOOD("ii,ij->j", 2), .in = {FLOATS(3, 3), FLOATS(3, 4)}, .gradients = 3},
    {GOOD("ij,ij->ij", 2), .in = {FLOATS(1, 4), FLOATS(3, 4)}, .gradients = 3},
    {GOOD("bhwc,hkc,wkd->bhwkd", 3), .in = {FLOATS(2, 3, 4, 5), FLOATS(3, 2, 5), FLOATS(4, 2, 3)},
     .gradients = 7},
    {GOOD("a,b,c,d->dbca", 4), .in = {FLOATS(2), FLOATS(3), FLOATS(4), FLOATS(5)}, .gradients = 15},
    {GOOD("ab,bc,cd->ad", 3), .in = {FLOATS(2, 3), FLOATS(3, 4), FLOATS(4, 5)}, .gradients = 7,
     .batched = 1},
    {GOOD(",i->i", 2), .in = {{.dtype = ENG_FLOAT32}, FLOATS(4)}, .gradients = 3},
    {GOOD("bij,bjk->bki", 2), .in = {TYPED(ENG_FLOAT64, 2, 3, 4), TYPED(ENG_FLOAT64, 2, 4, 5)}},
    {GOOD("ij,jk->ik", 2), .in = {TYPED(ENG_INT64, 2, 3), TYPED(ENG_INT64, 3, 2)}},
    {GOOD("ij,kj->ki", 2), .in = {TYPED(ENG_INT32, 2, 3), TYPED(ENG_INT32, 3, 3)}},
    {GOOD("ij->", 1), .in = {TYPED(ENG_INT16, 2, 3)}},
    {GOOD("i,i->i", 2), .in = {TYPED(ENG_INT8, 5), TYPED(ENG_INT8, 5)}},
    {BAD("ij,jk->ik", 1), .in = {FLOATS(2, 3)}, .refusal = "for each of the 1 operands"},
    {BAD("ij->ik", 1), .in = {FLOATS(2, 3)}, .refusal = "in the result that no operand has"},
    {BAD("ij->ii", 1), .in = {FLOATS(2, 3)}, .refusal = "repeats a letter"},
    {BAD("ij->i,j", 1), .in = {FLOATS(2, 3)}, .refusal = "more than one result"},
    {BAD("ij>i", 1), .in = {FLOATS(2, 3)}, .refusal = "holds '>'"},
    {BAD("ij-i", 1), .in = {FLOATS(2, 3)}, .refusal = "no '->'"},
    {BAD("......i", 1), .in = {FLOATS(2, 3)}, .refusal = "two ellipses"},
    {BAD("ijk", 1), .in = {FLOATS(2, 3)}, .refusal = "term 0 does not fit shape [2, 3]"},
    {BAD("i", 1), .in = {FLOATS(2, 3)}, .refusal = "term 0 does not fit shape [2, 3]"},
    {BAD("ij,jk", 2), .in = {FLOATS(2, 3), FLOATS(4, 5)}, .refusal = "the sizes 3 and 4"},
    {BAD("abcdefghi", 1), .in = {FLOATS(2, 3)}, .refusal = "more than 8 letters"},
    {BAD("abcde,fghi", 2), .in = {FLOATS(1, 1, 1, 1, 1), FLOATS(1, 1, 1, 1)},
     .refusal = "more than 8 dimensions"},
    {BAD("i,i", 2), .in = {FLOATS(2), TYPED(ENG_FLOAT64, 2)}, .refusal = "double; float"},
    {.op = "Einsum",
     .what = "nothing said",
     .n_in = 1,
     .in = {FLOATS(2)},
     .refusal = "'equation' is missing"},
};

int main(void)
{
    return OP_BATTERY("einsum", cases);
}
