/* Operators that exporters write and this engine leaves out on purpose. */
#ifndef ENG_MODEL_ABSENT_H
#define ENG_MODEL_ABSENT_H

/* Purpose: why it is not here and what to do about the file; NULL if nothing is known of it. */
const char *eng_absent_reason(const char *domain, const char *op_type);

#endif
