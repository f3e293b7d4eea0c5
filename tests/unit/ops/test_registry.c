/* The table of operators: every row is sound, found by name, and has a test of its own. */
#include "op_battery.h"

#include <unistd.h>

static void rows_are_sound(void **state)
{
    (void)state;
    assert_int_equal(eng_op_count(), sizeof op_rows / sizeof op_rows[0]);
    for (size_t i = 0; i < eng_op_count(); i++) {
        const struct eng_op *op = eng_op_at(i), *found;
        assert_ptr_equal(op, op_rows[i].op);
        assert_int_equal(eng_op_find(op->domain, op->name, op->opset_min, &found, NULL), ENG_OK);
        assert_ptr_equal(op, found);
        assert_true(op->in_min <= op->in_max && op->out_min <= op->out_max);
        assert_true(op->infer && op->forward);
        assert_true(!(op->flags & ENG_OP_IS_ACTIVATION) || op->activation);
        assert_true(op->trainable_inputs == 0 || op->backward);
        for (size_t a = 0; a < op->n_attrs; a++) {
            assert_true(op->attrs[a].help && *op->attrs[a].help);
            assert_true(op->attrs[a].offset < op->attrs_bytes);
        }
    }
    assert_null(eng_op_at(eng_op_count()));
}

static void every_file_has_a_test(void **state)
{
    (void)state;
    const char *source = getenv("CLASSIFYD_SOURCE");
    if (!source) skip();
    for (size_t i = 0; i < sizeof op_rows / sizeof op_rows[0]; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/tests/unit/ops/test_%s.c", source, op_rows[i].file);
        if (access(path, R_OK) != 0)
            fail_msg("%s has no test: %s is missing", op_rows[i].op->name, path);
    }
}

static void unknown_names_are_refused(void **state)
{
    (void)state;
    const struct eng_op *op;
    struct eng_error err = {0};
    assert_int_equal(eng_op_find("", "Conv2", 17, &op, &err), ENG_UNSUPPORTED);
    assert_string_equal(err.text, "operator 'Conv2' of domain 'ai.onnx' is not known");
    err = (struct eng_error){0};
    assert_int_equal(eng_op_find("com.example", "Conv", 1, &op, &err), ENG_UNSUPPORTED);
    assert_string_equal(err.text, "operator 'Conv' of domain 'com.example' is not known");
    err = (struct eng_error){0};
    assert_int_equal(eng_op_find("ai.onnx", "Conv", 22, &op, &err), ENG_UNSUPPORTED);
    assert_string_equal(err.text, "operator Conv is known for opsets 7 to 21, not for opset 22");
    assert_int_equal(eng_op_find("ai.onnx", "Conv", 21, &op, NULL), ENG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sound),
        cmocka_unit_test(every_file_has_a_test),
        cmocka_unit_test(unknown_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
