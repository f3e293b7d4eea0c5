#include "base/watched.h"

#include "temp_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* What is loaded: a file that is to begin with "good"; what is prepared is how it goes on. */
struct thing {
    int n_loads, n_taken;
    char *holds; /* NULL: no file is named */
};

static int n_dropped;

static enum eng_status prepare(void *ctx, const char *first, const char *second, void **prepared,
                               struct eng_error *err)
{
    struct thing *thing = ctx;
    char text[64] = "";
    assert_non_null(second);
    thing->n_loads++;
    FILE *file = fopen(first, "r");
    if (file) {
        size_t n = fread(text, 1, sizeof text - 1, file);
        text[n] = '\0';
        fclose(file);
    }
    if (strncmp(text, "good", 4) == 0) {
        *prepared = strdup(text + 4);
        return ENG_OK;
    }
    snprintf(err->text, sizeof err->text, "not good");
    return err->status = ENG_FORMAT;
}

static void take(void *ctx, void *prepared)
{
    struct thing *thing = ctx;
    free(thing->holds);
    thing->holds = prepared;
    thing->n_taken++;
}

static void drop(void *prepared)
{
    n_dropped++;
    free(prepared);
}

static const struct srv_watched_kind kind = {prepare, take, drop};

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

struct fixture {
    struct temp_folder folder;
    char first[300], second[300];
    struct thing thing;
    struct srv_watched *watched;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->folder = temp_folder_make();
    snprintf(f->first, sizeof f->first, "%s", temp_folder_file(&f->folder, "first"));
    snprintf(f->second, sizeof f->second, "%s", temp_folder_file(&f->folder, "second"));
    write_file(f->first, "good");
    write_file(f->second, "1");
    f->watched = srv_watched_create(NULL);
    assert_non_null(f->watched);
    srv_watched_add(f->watched, "thing", &kind, &f->thing);
    srv_watched_add(f->watched, "idle", &kind, NULL);
    assert_int_equal(srv_watched_prepare(f->watched, "thing", f->first, f->second, NULL), ENG_OK);
    assert_null(f->thing.holds);
    srv_watched_take(f->watched);
    assert_string_equal(f->thing.holds, "");
    f->thing.n_loads = 0;
    n_dropped = 0;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    srv_watched_destroy(f->watched);
    free(f->thing.holds);
    temp_folder_remove(&f->folder);
    free(f);
    return 0;
}

/* How many loads n looks bring. */
static int look(struct fixture *f, int n)
{
    int before = f->thing.n_loads;
    while (n-- > 0)
        srv_watched_look(f->watched);
    return f->thing.n_loads - before;
}

static void what_stays_is_left(void **state)
{
    assert_int_equal(look(*state, 5), 0);
}

static void a_change_is_taken_once_it_stays(void **state)
{
    struct fixture *f = *state;
    write_file(f->first, "good and longer");
    assert_int_equal(look(f, 1), 0);
    write_file(f->second, "22"); /* the other follows */
    assert_int_equal(look(f, 1), 0);
    assert_int_equal(look(f, 1), 1);
    assert_int_equal(look(f, 3), 0);
}

static void another_file_under_the_name_is_a_change(void **state)
{
    struct fixture *f = *state;
    char other[310];
    snprintf(other, sizeof other, "%s.new", f->second);
    write_file(other, "2"); /* of the same length */
    assert_int_equal(rename(other, f->second), 0);
    assert_int_equal(look(f, 2), 1);
}

static void what_was_refused_is_not_tried_again(void **state)
{
    struct fixture *f = *state;
    struct srv_watched_row rows[SRV_MAX_WATCHED];
    write_file(f->first, "bad!");
    assert_int_equal(look(f, 5), 1);
    unlink(f->first);
    assert_int_equal(look(f, 5), 1);
    write_file(f->first, "good");
    assert_int_equal(look(f, 5), 1);
    assert_int_equal(srv_watched_reload(f->watched, rows), 1);
    assert_int_equal(rows[0].failure.status, ENG_OK);
}

static void a_reload_asks_for_no_change(void **state)
{
    struct fixture *f = *state;
    struct srv_watched_row rows[SRV_MAX_WATCHED];
    assert_int_equal(srv_watched_reload(f->watched, rows), 1);
    assert_int_equal(f->thing.n_loads, 1);
    assert_string_equal(rows[0].setting, "thing");
    assert_int_equal(rows[0].failure.status, ENG_OK);
    write_file(f->first, "bad!");
    assert_int_equal(srv_watched_reload(f->watched, rows), 1);
    assert_int_equal(rows[0].failure.status, ENG_FORMAT);
    assert_string_equal(rows[0].failure.text, "not good");
    assert_int_equal(look(f, 3), 0); /* it has been seen */
}

static void other_files_hold_when_they_are_taken(void **state)
{
    struct fixture *f = *state;
    struct eng_error err = {0};
    struct srv_watched_row rows[SRV_MAX_WATCHED];
    write_file(f->second, "good!");
    assert_int_equal(srv_watched_prepare(f->watched, "thing", f->second, "", &err), ENG_OK);
    assert_int_equal(f->thing.n_taken, 1);
    write_file(f->first, "bad!"); /* nobody asks for it any more */
    srv_watched_take(f->watched);
    assert_string_equal(f->thing.holds, "!");
    assert_int_equal(srv_watched_reload(f->watched, rows), 1);
    assert_int_equal(rows[0].failure.status, ENG_OK);
    assert_int_equal(look(f, 3), 0);
    write_file(f->second, "good!!");
    assert_int_equal(look(f, 3), 1);
    assert_string_equal(f->thing.holds, "!!");
    srv_watched_take(f->watched); /* nothing is prepared */
    assert_string_equal(f->thing.holds, "!!");
}

static void files_that_cannot_be_taken_change_nothing(void **state)
{
    struct fixture *f = *state;
    struct eng_error err = {0};
    write_file(f->second, "bad!");
    assert_int_equal(srv_watched_prepare(f->watched, "thing", f->second, "", &err), ENG_FORMAT);
    assert_string_equal(err.text, "not good");
    srv_watched_take(f->watched);
    assert_int_equal(f->thing.n_taken, 1);
    write_file(f->first, "good2");
    assert_int_equal(look(f, 2), 1);
    assert_string_equal(f->thing.holds, "2");
}

static void what_is_prepared_and_not_taken_is_dropped(void **state)
{
    struct fixture *f = *state;
    write_file(f->second, "good2");
    assert_int_equal(srv_watched_prepare(f->watched, "thing", f->second, "", NULL), ENG_OK);
    assert_int_equal(srv_watched_prepare(f->watched, "thing", f->second, "", NULL), ENG_OK);
    assert_int_equal(n_dropped, 1);
    assert_int_equal(srv_watched_prepare(f->watched, "thing", f->first, f->second, NULL), ENG_OK);
    assert_int_equal(n_dropped, 2);
    assert_int_equal(f->thing.n_loads, 2); /* the last is what it goes by already */
    srv_watched_take(f->watched);
    assert_string_equal(f->thing.holds, "");
    assert_int_equal(srv_watched_prepare(f->watched, "thing", f->second, "", NULL), ENG_OK);
    /* and what is left at the end */
}

static void no_file_is_a_choice_too(void **state)
{
    struct fixture *f = *state;
    struct srv_watched_row rows[SRV_MAX_WATCHED];
    assert_int_equal(srv_watched_prepare(f->watched, "thing", "", "", NULL), ENG_OK);
    srv_watched_take(f->watched);
    assert_null(f->thing.holds);
    assert_int_equal(srv_watched_reload(f->watched, rows), 0);
    assert_int_equal(look(f, 3), 0);
    assert_int_equal(srv_watched_prepare(f->watched, "unknown", f->first, "", NULL), ENG_OK);
    assert_int_equal(f->thing.n_loads, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_stays_is_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_change_is_taken_once_it_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_file_under_the_name_is_a_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_refused_is_not_tried_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reload_asks_for_no_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_files_hold_when_they_are_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_that_cannot_be_taken_change_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_prepared_and_not_taken_is_dropped, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_file_is_a_choice_too, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
