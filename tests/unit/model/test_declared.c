/* What files declare of their values: what contradicts the operators is refused. */
#include "model/declared.h"
#include "net_file.h"

enum { OPEN = -1 };

/* x [N, 6] -> Relu "a" -> Reshape "y" to [0, 2, 3] by a constant, and "z" by a computed one. */
struct fixture {
    struct net net;
    struct onnx_model onnx;
    struct onnx_value_info info;
};

static struct fixture *begin(int64_t batch)
{
    static const int64_t dims[] = {0, 2, 3};
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    net_init(&f->net, 1);
    int x = net_input(&f->net, "x", NET_SHAPE(batch, 6));
    int shape = net_constant(&f->net, "shape", ENG_INT64, NET_SHAPE(3), dims);
    int a = net_node(&f->net, "Relu", "a", (int[]){x}, 1, NULL, 0);
    int y = net_node(&f->net, "Reshape", "y", (int[]){a, shape}, 2, NULL, 0);
    int same = net_node(&f->net, "Identity", "same", (int[]){shape}, 1, NULL, 0);
    int z = net_node(&f->net, "Reshape", "z", (int[]){a, same}, 2, NULL, 0);
    net_output(&f->net, y);
    net_output(&f->net, z);
    assert_int_equal(eng_convert_export(&f->net.graph, &f->onnx, NULL), ENG_OK);
    f->info = (struct onnx_value_info){
        .name = "a", .dtype = ENG_FLOAT32, .shape = {.rank = 2, .dim = {batch, 6}}};
    f->onnx.infos = &f->info;
    f->onnx.n_infos = 1;
    return f;
}

static void end(struct fixture *f)
{
    onnx_model_fini(&f->onnx);
    net_fini(&f->net);
    free(f);
}

static void assert_fits(const struct fixture *f)
{
    struct eng_error err = {0};
    if (eng_declared_check(&f->onnx, &f->net.graph, &err) != ENG_OK) fail_msg("%s", err.text);
}

static void assert_refused(const struct fixture *f, const char *sentence)
{
    struct eng_error err = {0};
    assert_int_equal(eng_declared_check(&f->onnx, &f->net.graph, &err), ENG_FORMAT);
    assert_string_equal(err.text, sentence);
}

static void test_what_fits(void **state)
{
    (void)state;
    for (int64_t batch = OPEN; batch <= 1; batch += 2) {
        struct fixture *f = begin(batch);
        assert_fits(f);
        f->onnx.outputs[0].shape.dim[2] = OPEN;
        assert_fits(f);
        f->onnx.outputs[0].dtype = ENG_FLOAT16;
        assert_fits(f);
        f->onnx.outputs[0].shape.rank = OPEN;
        assert_fits(f);
        f->info.name = "nobody";
        f->info.dtype = ENG_BOOL;
        assert_fits(f);
        end(f);
    }
}

static void test_an_open_batch_fits_any(void **state)
{
    (void)state;
    struct fixture *f = begin(OPEN);
    f->onnx.outputs[0].shape.dim[0] = 5;
    f->info.shape.dim[0] = 7;
    assert_fits(f);
    end(f);
}

static void test_outputs(void **state)
{
    (void)state;
    struct fixture *f = begin(OPEN);
    f->onnx.outputs[0].shape.dim[1] = 9;
    assert_refused(f, "graph output 'y' is declared as float [N, 9, 3], but what makes it gives "
                      "float [N, 2, 3]; wanted the same");
    f->onnx.outputs[0].shape.rank = 2;
    assert_refused(f, "graph output 'y' is declared as float [N, 9], but what makes it gives float "
                      "[N, 2, 3]; wanted the same");
    f->onnx.outputs[0].shape.rank = OPEN;
    f->onnx.outputs[0].dtype = ENG_INT64;
    assert_refused(f, "graph output 'y' is declared as int64 of any shape, but what makes it gives "
                      "float [N, 2, 3]; wanted the same");
    end(f);
}

static void test_values_in_between(void **state)
{
    (void)state;
    struct fixture *f = begin(1);
    f->info.shape.dim[0] = 2;
    assert_refused(f, "value 'a' is declared as float [2, 6], but what makes it gives float [1, "
                      "6]; wanted the same");
    end(f);
}

/* ONNX's checker does not compute, so it takes such a file. */
static void test_shapes_that_are_computed(void **state)
{
    (void)state;
    struct fixture *f = begin(1);
    f->onnx.outputs[1].shape.dim[1] = 9;
    assert_fits(f);
    f->onnx.outputs[1].dtype = ENG_INT32;
    assert_refused(f, "graph output 'z' is declared as int32 [1, 9, 3], but what makes it gives "
                      "float [1, 2, 3]; wanted the same");
    end(f);
}

/* The size then is the card's. */
static void test_open_sizes(void **state)
{
    (void)state;
    struct fixture *f = begin(1);
    f->onnx.inputs[0].shape.dim[1] = OPEN;
    f->onnx.outputs[0].shape.dim[1] = 9;
    assert_fits(f);
    f->onnx.outputs[0].shape.rank = 1;
    assert_refused(f, "graph output 'y' is declared as float [1], but what makes it gives float "
                      "[1, 2, 3]; wanted the same");
    end(f);
}

static void test_initializers_that_are_inputs(void **state)
{
    (void)state;
    struct fixture *f = begin(1);
    struct onnx_value_info inputs[] = {
        f->onnx.inputs[0], {.name = "shape", .dtype = ENG_INT64, .shape = {.rank = 1, .dim = {4}}}};
    f->onnx.inputs = inputs;
    f->onnx.n_inputs = 2;
    assert_refused(f, "graph input 'shape' is declared as int64 [4], but what makes it gives int64 "
                      "[3]; wanted the same");
    end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_fits),
        cmocka_unit_test(test_an_open_batch_fits_any),
        cmocka_unit_test(test_outputs),
        cmocka_unit_test(test_values_in_between),
        cmocka_unit_test(test_shapes_that_are_computed),
        cmocka_unit_test(test_open_sizes),
        cmocka_unit_test(test_initializers_that_are_inputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
