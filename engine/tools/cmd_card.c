/* classify card: the table of models that a README shows, from the cards beside them. */
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "card_files.h"
#include "command.h"
#include "engine/model.h"
#include "options.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { MAX_CARD_BYTES = 64 << 20 };

struct card_options {
    bool json;
};

static const struct tool_option options[] = {
    TOOL_FLAG(struct card_options, json, "the cards themselves, as a list"),
};

static const struct tool_syntax syntax = {
    .arguments = "FOLDER...",
    .min_args = 1,
    .max_args = 1000,
    .help =
        "Prints a table in Markdown of the models in version folders such as models/mnist/1, from\n"
        "the card.json that 'classify train' wrote beside each. A card that is about another\n"
        "model.onnx than the one beside it is an error.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
};

/* The card's digest must be the model's. */
static enum eng_status check_digest(const char *dir, const json_t *card, struct eng_error *err)
{
    struct eng_model *model = NULL;
    const struct eng_model_options one = {.max_batch = 1};
    const char *wanted =
        json_string_value(json_object_get(json_object_get(card, "file"), "sha256"));
    enum eng_status status = eng_model_open(dir, &one, &model, err);
    if (status != ENG_OK) return status;
    if (!wanted || strcmp(wanted, eng_model_digest(model)) != 0)
        status = eng_fail(err, ENG_MISMATCH,
                          "%.200s/card.json is about a model.onnx with SHA-256 %.16s...; the one "
                          "beside it has %.16s...",
                          dir, wanted ? wanted : "(none)", eng_model_digest(model));
    eng_model_destroy(model);
    return status;
}

static enum eng_status read_card(const char *dir, json_t **out, struct eng_error *err)
{
    char path[PATH_MAX];
    struct eng_file file;
    int n = snprintf(path, sizeof path, "%s/card.json", dir);
    if (n < 0 || n >= (int)sizeof path)
        return eng_fail(err, ENG_ARGUMENT, "%.300s: the name is too long", dir);
    enum eng_status status = eng_file_read(path, MAX_CARD_BYTES, &file, err);
    if (status != ENG_OK) return status;
    const struct eng_json_place place = {.path = path, .err = err};
    json_t *card = NULL;
    status = eng_json_parse(&place, (const char *)file.bytes, file.n_bytes, MAX_CARD_BYTES, &card);
    eng_file_fini(&file);
    if (status == ENG_OK) status = check_digest(dir, card, err);
    if (status == ENG_OK)
        *out = card;
    else
        json_decref(card);
    return status;
}

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static void print_row(const json_t *card)
{
    char work[32], size[32];
    const json_t *file = json_object_get(card, "file"), *recipe = json_object_get(card, "recipe");
    const char *what = json_string_value(json_object_get(recipe, "description"));
    const char *name = json_string_value(json_object_get(card, "name"));
    const json_t *accuracy = json_object_get(card, "test_accuracy");
    printf("| ");
    tool_markdown_text(stdout, name ? name : "");
    printf(" | ");
    tool_markdown_text(stdout, what ? what : "");
    printf(" | %s | %s | ", tool_format_count(number(file, "flops") / 2, work, sizeof work),
           tool_format_bytes(number(file, "bytes"), size, sizeof size));
    if (json_is_number(accuracy))
        printf("%.2f %% |\n", 100 * json_number_value(accuracy));
    else
        printf("loss %.4g |\n", number(card, "test_loss"));
}

int cmd_card(int argc, char **argv)
{
    struct card_options opt;
    char **args;
    size_t n_args;
    int code;
    if (!tool_options_parse(&syntax, argc, argv, &opt, &args, &n_args, &code)) return code;
    struct eng_error err = {0};
    json_t *cards = json_array();
    enum eng_status status = ENG_OK;
    for (size_t i = 0; i < n_args && status == ENG_OK; i++) {
        json_t *card = NULL;
        status = read_card(args[i], &card, &err);
        if (status == ENG_OK) json_array_append_new(cards, card);
    }
    if (status == ENG_OK && opt.json) {
        status = tool_json_print_take(json_incref(cards), &err);
    } else if (status == ENG_OK) {
        puts("| model | what | multiply-adds | file | test accuracy |\n|---|---|---|---|---|");
        for (size_t i = 0; i < json_array_size(cards); i++)
            print_row(json_array_get(cards, i));
    }
    json_decref(cards);
    return status ? tool_fail(argv[0], &err) : TOOL_OK;
}
