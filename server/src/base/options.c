#include "base/options.h"

#include "base/config_table.h"
#include "base/fail.h"

#include <string.h>

static const struct {
    const char *flag;
    enum srv_command command;
    enum { NONE, MAYBE, NEEDED } argument;
    const char *help;
} commands[] = {
    {"--check", SRV_CHECK, NONE, "check the settings, load every model, say what is wrong, exit"},
    {"--print-config", SRV_PRINT_CONFIG, NONE, "print the settings as a config file, exit"},
    {"--healthcheck", SRV_HEALTHCHECK, MAYBE,
     "[URL, HOST:PORT or unix:/PATH]: exit 0 if that daemon is ready, else 1"},
    {"--hash-key", SRV_HASH_KEY, NEEDED,
     "ID: read a key from standard input, print its line for api_keys_file, exit"},
    {"--docs", SRV_DOCS, NEEDED, "settings|metrics|errors: print that page of docs/, exit"},
    {"--version", SRV_VERSION, NONE, "print the version, exit"},
    {"--help", SRV_HELP, NONE, "print this, exit"},
};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

/* Walks argv: next_flag gives "--name" and the text behind "=" or in the next argument. */
struct walk {
    int argc, next;
    char *const *argv;
};

struct flag {
    char name[80];     /* with the dashes */
    const char *value; /* behind "=", NULL if there is none */
};

static enum eng_status next_flag(struct walk *walk, struct flag *flag, struct eng_error *err)
{
    const char *text = walk->argv[walk->next++];
    size_t n = strcspn(text, "=");
    if (strncmp(text, "--", 2) != 0 || n < 3 || n >= sizeof flag->name)
        return srv_fail(err, ENG_ARGUMENT,
                        "\"%.80s\": wanted --key value; classifyd --help lists the keys", text);
    memcpy(flag->name, text, n);
    flag->name[n] = '\0';
    flag->value = text[n] == '=' ? text + n + 1 : NULL;
    return ENG_OK;
}

static enum eng_status take_value(struct walk *walk, const struct flag *flag, const char **value,
                                  struct eng_error *err)
{
    if (!flag->value && walk->next == walk->argc)
        return srv_fail(err, ENG_ARGUMENT, "%s: wanted a value behind it", flag->name);
    *value = flag->value ? flag->value : walk->argv[walk->next++];
    return ENG_OK;
}

/* True if the flag is a command: its argument is taken too. */
static bool take_command(struct walk *walk, const struct flag *flag, struct srv_options *options,
                         enum eng_status *status, struct eng_error *err)
{
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(commands[i].flag, flag->name) != 0) continue;
        options->command = commands[i].command;
        options->argument = flag->value ? flag->value : "";
        bool is_there = walk->next < walk->argc && walk->argv[walk->next][0] != '-';
        *status = ENG_OK;
        if (commands[i].argument == NONE && flag->value)
            *status = srv_fail(err, ENG_ARGUMENT, "%s takes no value, found \"%.80s\"", flag->name,
                               flag->value);
        else if (commands[i].argument == NEEDED || (commands[i].argument == MAYBE && is_there))
            *status = take_value(walk, flag, &options->argument, err);
        return true;
    }
    return false;
}

static enum eng_status set_pair(struct srv_config *config, const char *pair, struct eng_error *err)
{
    char key[80];
    size_t n = strcspn(pair, "=");
    if (pair[n] != '=' || n >= sizeof key)
        return srv_fail(err, ENG_ARGUMENT, "--set: \"%.80s\"; wanted key=value", pair);
    memcpy(key, pair, n);
    key[n] = '\0';
    return srv_config_set(config, key, pair + n + 1, "--set", err);
}

/* "--max-batch" -> "max_batch". */
static void key_of_flag(const struct flag *flag, char key[sizeof flag->name])
{
    strcpy(key, flag->name + 2);
    for (char *p = key; *p; p++)
        if (*p == '-') *p = '_';
}

static bool is_flag(const struct flag *flag, const char *name)
{
    return strcmp(flag->name, name) == 0;
}

/* An unknown flag is said to be unknown even if it stands last, without a value. */
static enum eng_status check_name(const struct flag *flag, struct eng_error *err)
{
    const struct srv_setting *setting;
    char key[sizeof flag->name];
    if (is_flag(flag, "--set") || is_flag(flag, "--config")) return ENG_OK;
    key_of_flag(flag, key);
    return srv_setting_find(key, flag->name, &setting, err);
}

static enum eng_status set_flag(struct srv_config *config, const struct flag *flag,
                                const char *value, struct eng_error *err)
{
    char key[sizeof flag->name];
    if (is_flag(flag, "--set")) return set_pair(config, value, err);
    key_of_flag(flag, key);
    return srv_config_set(config, key, value, flag->name, err);
}

/* One pass over argv: the first reads --config and the command, the second sets the keys. */
static enum eng_status pass(int argc, char *const *argv, bool sets_keys,
                            struct srv_options *options, struct eng_error *err)
{
    struct walk walk = {argc, 1, argv};
    struct srv_config *config = &options->config;
    while (walk.next < argc) {
        struct flag flag;
        const char *value = NULL;
        enum eng_status status = next_flag(&walk, &flag, err);
        if (status != ENG_OK) return status;
        if (take_command(&walk, &flag, options, &status, err)) {
            if (status != ENG_OK) return status;
            continue;
        }
        status = check_name(&flag, err);
        if (status == ENG_OK) status = take_value(&walk, &flag, &value, err);
        if (status == ENG_OK && is_flag(&flag, "--config"))
            status = sets_keys ? ENG_OK : srv_config_read_file(config, value, err);
        else if (status == ENG_OK && sets_keys)
            status = set_flag(config, &flag, value, err);
        if (status != ENG_OK) return status;
    }
    return ENG_OK;
}

enum eng_status srv_options_parse(int argc, char *const *argv, char *const *environment,
                                  struct srv_options *out, struct eng_error *err)
{
    struct srv_options options = {.command = SRV_SERVE,
                                  .argc = argc,
                                  .argv = argv,
                                  .environment = environment,
                                  .argument = ""};
    enum eng_status status = srv_config_init(&options.config, err);
    if (status == ENG_OK) status = pass(argc, argv, false, &options, err);
    if (status == ENG_OK) status = srv_config_read_environment(&options.config, environment, err);
    if (status == ENG_OK) status = pass(argc, argv, true, &options, err);
    if (status != ENG_OK) {
        srv_config_fini(&options.config);
        return status;
    }
    *out = options;
    return ENG_OK;
}

void srv_options_fini(struct srv_options *options)
{
    srv_config_fini(&options->config);
}

void srv_options_help(FILE *out)
{
    fputs("usage: classifyd [--config FILE.json] [--KEY VALUE | --set key=value]...\n\n"
          "Serves the image classifiers of a models folder over HTTP.\n\n"
          "  --config FILE.json   settings as a JSON object; environment CLASSIFYD_<KEY> and flags "
          "win\n"
          "  --set key=value      the same as --key value\n",
          out);
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(out, "  %-20s %s\n", commands[i].flag, commands[i].help);
    fputs("\nsettings:\n", out);
    srv_config_help(out);
    fputs("\nSIGHUP reloads settings, models, keys and certificates, SIGTERM drains and stops, a "
          "second "
          "signal stops at once.\n",
          out);
}
