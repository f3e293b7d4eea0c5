/* KNearest: who wins when votes are equal. */
#include "op_case.h"

/* KNearest on one feature: references at these places, with these labels. */
static void expect_votes(float query, int64_t k, const int64_t labels[5], float shares[3])
{
    uint8_t places[] = {10, 20, 30, 40, 50};
    const struct eng_op *op;
    assert_int_equal(eng_op_find("classifyd", "KNearest", 1, &op, NULL), ENG_OK);
    struct eng_attr attrs[] = {ATTR_INT("k", k), ATTR_INT("n_classes", 3)};
    struct eng_tensor x = {ENG_FLOAT32, SHAPE(1, 1), &query};
    struct eng_tensor references = {ENG_UINT8, SHAPE(5, 1), places};
    struct eng_tensor names = {ENG_INT64, SHAPE(5), (void *)labels}, y = {.data = shares};
    const struct eng_tensor *in[] = {&x, &references, &names};
    struct eng_tensor *out[] = {&y};
    void *own = calloc(1, op->attrs_bytes), *own_state = calloc(1, op->state_bytes);
    assert_true(own && own_state);
    assert_int_equal(eng_attrs_read(op, attrs, 2, own, NULL), ENG_OK);
    struct eng_op_infer q = {
        .attrs = own, .opset = 1, .n_in = 3, .in = in, .n_out = 1, .out = out, .state = own_state};
    assert_int_equal(op->infer(&q, NULL), ENG_OK);
    void *scratch = eng_alloc_aligned(q.scratch_bytes);
    assert_non_null(scratch);
    struct eng_op_call call = {.attrs = own,
                               .state = own_state,
                               .n_in = 3,
                               .in = in,
                               .n_out = 1,
                               .out = out,
                               .scratch = scratch};
    op->forward(&call);
    free(scratch);
    free(own);
    free(own_state);
}

/* Two votes each for 2 and 1, and one for 0: the class of the nearer neighbour comes first. */
static void a_tie_goes_to_the_nearer_neighbour(void **state)
{
    (void)state;
    float shares[3];
    expect_votes(21, 4, (const int64_t[]){1, 2, 1, 2, 0}, shares);
    assert_true(shares[2] > shares[1] && shares[2] - shares[1] < 1e-6f && shares[0] == 0);
    assert_true(shares[1] == 0.5f);
    expect_votes(29, 4, (const int64_t[]){1, 2, 1, 2, 0}, shares);
    assert_true(shares[1] > shares[2]);
    expect_votes(25, 2, (const int64_t[]){0, 2, 1, 0, 0}, shares); /* as near: the lower index */
    assert_true(shares[2] > shares[1]);
    expect_votes(25, 2, (const int64_t[]){0, 1, 2, 0, 0}, shares);
    assert_true(shares[1] > shares[2]);
    expect_votes(31, 3, (const int64_t[]){0, 0, 2, 1, 0}, shares); /* three ways: 30, 40, 20 */
    assert_true(shares[2] > shares[1] && shares[1] > shares[0] && shares[0] == 1.0f / 3);
    expect_votes(31, 3, (const int64_t[]){0, 1, 2, 1, 0}, shares); /* no tie: shares are exact */
    assert_true(shares[1] == 2.0f / 3 && shares[2] == 1.0f / 3 && shares[0] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tie_goes_to_the_nearer_neighbour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
