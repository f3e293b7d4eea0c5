/*
 * Field tables: a struct's members as rows, so that reading, writing, range checks and help come
 * from one place. Used for operator attributes (ONNX), recipes and model cards (JSON).
 */
#ifndef ENG_BASE_FIELDS_H
#define ENG_BASE_FIELDS_H

#include "engine/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ENG_MAX_INTS = 32 };

/* A short list of integers, e.g. kernel_shape, pads. n = 0: not given. */
struct eng_ints {
    int n;
    int64_t v[ENG_MAX_INTS];
};

enum eng_field_type {
    ENG_FIELD_INT,    /* int64_t */
    ENG_FIELD_FLOAT,  /* double */
    ENG_FIELD_BOOL,   /* bool */
    ENG_FIELD_CHOICE, /* int: index into choices */
    ENG_FIELD_INTS,   /* struct eng_ints */
    ENG_FIELD_STRING, /* const char *, owned by the struct's arena */
    ENG_FIELD_TENSOR, /* const struct eng_tensor *, ONNX attributes only */
    ENG_FIELD_ATTR, /* const struct eng_attr *: as it stands in the file, for the operator to judge
                     */
};

struct eng_field {
    const char *name;
    enum eng_field_type type;
    size_t offset;
    double def, min, max;       /* numbers; for CHOICE def is the index */
    const char *const *choices; /* CHOICE: NULL-terminated */
    const char *help;
};

/* Rows: ENG_F_INT(struct conv, group, 1, 1, 1e6, "...") names the member and the key alike. */
#define ENG_F_(S, M, T, D, LO, HI, C, H)                                                 \
    {                                                                                    \
        .name = #M, .type = T, .offset = offsetof(S, M), .def = D, .min = LO, .max = HI, \
        .choices = C, .help = H                                                          \
    }
#define ENG_F_INT(S, M, D, LO, HI, H)   ENG_F_(S, M, ENG_FIELD_INT, D, LO, HI, NULL, H)
#define ENG_F_FLOAT(S, M, D, LO, HI, H) ENG_F_(S, M, ENG_FIELD_FLOAT, D, LO, HI, NULL, H)
#define ENG_F_BOOL(S, M, D, H)          ENG_F_(S, M, ENG_FIELD_BOOL, D, 0, 1, NULL, H)
#define ENG_F_CHOICE(S, M, D, C, H)     ENG_F_(S, M, ENG_FIELD_CHOICE, D, 0, 0, C, H)
#define ENG_F_INTS(S, M, LO, HI, H)     ENG_F_(S, M, ENG_FIELD_INTS, 0, LO, HI, NULL, H)
#define ENG_F_STRING(S, M, H)           ENG_F_(S, M, ENG_FIELD_STRING, 0, 0, 0, NULL, H)
#define ENG_F_TENSOR(S, M, H)           ENG_F_(S, M, ENG_FIELD_TENSOR, 0, 0, 0, NULL, H)
#define ENG_F_ATTR(S, M, H)             ENG_F_(S, M, ENG_FIELD_ATTR, 0, 0, 0, NULL, H)

/* Purpose: writes every default into the struct at base (strings and tensors NULL, lists empty). */
void eng_fields_defaults(const struct eng_field *fields, size_t n, void *base);

/* Purpose: the row with that name, or NULL. */
const struct eng_field *eng_fields_find(const struct eng_field *fields, size_t n, const char *name);

/* Purpose: the row name nearest in spelling (for "did you mean"), or NULL if none is near. */
const char *eng_fields_nearest(const struct eng_field *fields, size_t n, const char *name);

/*
 * Purpose: checked setters: type and range. A BOOL takes 0 or 1; an INT field refuses a fraction.
 * Errors: ARGUMENT naming the field, the value found and the range or choices wanted.
 */
enum eng_status eng_field_set_number(const struct eng_field *field, void *base, double value,
                                     struct eng_error *err);
enum eng_status eng_field_set_int(const struct eng_field *field, void *base, int64_t value,
                                  struct eng_error *err);
enum eng_status eng_field_set_ints(const struct eng_field *field, void *base, const int64_t *values,
                                   size_t n, struct eng_error *err);
/* text: for STRING it is stored as is (the caller keeps it alive), for CHOICE it is looked up. */
enum eng_status eng_field_set_text(const struct eng_field *field, void *base, const char *text,
                                   struct eng_error *err);

#endif
