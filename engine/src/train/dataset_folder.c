/* A folder of class folders: train/CLASS/PICTURE and test/CLASS/PICTURE, or CLASS/PICTURE alone. */
#include "train/dataset.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "engine/image.h"
#include "train/class_names.h"
#include "train/folder_list.h"
#include "train/picture_fit.h"
#include "train/split.h"
#include "train/streams.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILES = 1 << 24 };

/* One picture of the split. */
struct item {
    const char *name;
    uint16_t class;
};

struct loading {
    const struct eng_dataset_source *source;
    struct eng_arena arena; /* names */
    const char *root;       /* the folder of this split's class folders: path, or the source's */
    char path[PATH_MAX];
    struct eng_folder_list classes;
    struct item *items;
    size_t n_items, capacity;
    struct eng_dataset set; /* what is made */
    pthread_mutex_t lock;   /* over the two below */
    size_t failed_at;       /* the first item that failed; SIZE_MAX: none */
    struct eng_error failure;
};

static bool holds_pictures(const char *path, const char *name)
{
    (void)name;
    return eng_file_is_dir(path) && eng_folder_has(path, eng_folder_is_picture);
}

static bool is_split(const char *dir, enum eng_split split)
{
    char path[PATH_MAX];
    return eng_folder_join(dir, eng_split_name(split), path, NULL) == ENG_OK &&
           eng_folder_has(path, eng_folder_is_folder);
}

static bool recognise(const char *dir)
{
    return is_split(dir, ENG_SPLIT_TRAIN) || eng_folder_has(dir, holds_pictures);
}

/* --- which classes and files --- */

static enum eng_status check_classes(const struct loading *l, const char *dir,
                                     struct eng_error *err)
{
    if (l->classes.n == 0)
        return eng_fail(err, ENG_FORMAT, "%s: no class folders; wanted one folder for each class",
                        dir);
    for (size_t c = 0; c < l->classes.n; c++)
        if (!eng_utf8_is_valid(l->classes.names[c], strlen(l->classes.names[c])))
            return eng_fail(err, ENG_FORMAT,
                            "%s: the name of class folder %zu is not UTF-8; wanted text", dir, c);
    return ENG_OK;
}

/* A class that the training set does not know cannot be tested. */
static enum eng_status check_test_classes(struct loading *l, const char *train,
                                          struct eng_error *err)
{
    struct eng_folder_list found;
    enum eng_status status = eng_folder_read(l->root, eng_folder_is_folder, ENG_DATASET_MAX_CLASSES,
                                             &l->arena, &found, err);
    if (status != ENG_OK) return status;
    size_t c = 0;
    for (size_t i = 0; i < found.n; i++) { /* both lists are sorted */
        while (c < l->classes.n && strcmp(l->classes.names[c], found.names[i]) < 0)
            c++;
        if (c == l->classes.n || strcmp(l->classes.names[c], found.names[i]) != 0)
            return eng_fail(err, ENG_FORMAT,
                            "%s/%s: a class that the training set lacks; wanted those of %s",
                            l->root, found.names[i], train);
    }
    return ENG_OK;
}

/* Both splits number the classes as the training set's folders are sorted. */
static enum eng_status find_classes(struct loading *l, struct eng_error *err)
{
    const char *dir = l->source->dir;
    bool split = is_split(dir, ENG_SPLIT_TRAIN);
    char train[PATH_MAX];
    enum eng_status status = ENG_OK;
    l->root = split ? l->path : dir;
    if (!split && l->source->options->test_share == 0)
        return eng_fail(err, ENG_FORMAT,
                        "%s: class folders without train and test above them; wanted these, or a "
                        "test_share in the recipe",
                        dir);
    if (split) status = eng_folder_join(dir, eng_split_name(l->source->split), l->path, err);
    if (split && status == ENG_OK) status = eng_folder_join(dir, "train", train, err);
    const char *folder = split ? train : dir;
    if (status == ENG_OK)
        status = eng_folder_read(folder, eng_folder_is_folder, ENG_DATASET_MAX_CLASSES, &l->arena,
                                 &l->classes, err);
    if (status == ENG_OK) status = check_classes(l, folder, err);
    if (status == ENG_OK && split && l->source->split == ENG_SPLIT_TEST)
        status = check_test_classes(l, folder, err);
    return status;
}

static enum eng_status add_items(struct loading *l, size_t class, const char *const *names,
                                 const uint32_t *order, size_t n, struct eng_error *err)
{
    if (n > MAX_FILES - l->n_items)
        return eng_fail(err, ENG_LIMIT, "%s: more than %d pictures", l->root, MAX_FILES);
    if (!eng_grow(&l->items, &l->capacity, l->n_items + n, sizeof *l->items))
        return eng_fail_memory(err, "the list of pictures");
    for (size_t i = 0; i < n; i++)
        l->items[l->n_items++] =
            (struct item){.name = names[order ? order[i] : i], .class = (uint16_t) class};
    return ENG_OK;
}

/* The share of a class that belongs to this split. */
static enum eng_status draw_items(struct loading *l, size_t class, const char *path,
                                  const struct eng_folder_list *files, struct eng_error *err)
{
    const struct eng_dataset_options *options = l->source->options;
    struct eng_rng rng = eng_stream_rng(options->seed, ENG_STREAM_SPLIT, class, 0);
    if (files->n < 2)
        return eng_fail(err, ENG_FORMAT,
                        "%s: 1 picture; wanted at least 2, one to train and one to test", path);
    uint32_t *order = eng_calloc(files->n, sizeof *order);
    if (!order) return eng_fail_memory(err, "the list of pictures");
    size_t n = eng_split_draw(&rng, files->n, options->test_share,
                              l->source->split == ENG_SPLIT_TEST, order);
    enum eng_status status = add_items(l, class, files->names, order, n, err);
    free(order);
    return status;
}

static enum eng_status list_class(struct loading *l, size_t class, struct eng_error *err)
{
    char path[PATH_MAX];
    struct eng_folder_list files;
    enum eng_status status = eng_folder_join(l->root, l->classes.names[class], path, err);
    if (status == ENG_OK && !eng_file_is_dir(path))
        return eng_fail(err, ENG_NOT_FOUND,
                        "%s: no such folder; wanted one for each class of the "
                        "training set",
                        path);
    if (status == ENG_OK)
        status = eng_folder_read(path, eng_folder_is_picture, MAX_FILES, &l->arena, &files, err);
    if (status != ENG_OK) return status;
    if (files.n == 0)
        return eng_fail(err, ENG_FORMAT, "%s: no pictures; wanted .png, .jpg or .jpeg files", path);
    return l->root == l->source->dir ? draw_items(l, class, path, &files, err)
                                     : add_items(l, class, files.names, NULL, files.n, err);
}

/* --- pixels --- */

static enum eng_status item_path(const struct loading *l, size_t i, char path[PATH_MAX],
                                 struct eng_error *err)
{
    char dir[PATH_MAX];
    const char *class = l->classes.names[l->items[i].class];
    enum eng_status status = eng_folder_join(l->root, class, dir, err);
    return status == ENG_OK ? eng_folder_join(dir, l->items[i].name, path, err) : status;
}

static enum eng_status open_item(const struct loading *l, size_t i, struct eng_image *out,
                                 struct eng_error *err)
{
    char path[PATH_MAX];
    const struct eng_image_limits limits = eng_image_limits_default();
    enum eng_status status = item_path(l, i, path, err);
    return status == ENG_OK ? eng_image_load(path, &limits, out, err) : status;
}

/* What the recipe leaves open follows the first picture. */
static enum eng_status allocate(struct loading *l, struct eng_error *err)
{
    const struct eng_dataset_options *options = l->source->options;
    struct eng_dataset *set = &l->set;
    struct eng_image first;
    enum eng_status status = open_item(l, 0, &first, err);
    if (status != ENG_OK) return status;
    set->width_px = options->width_px ? options->width_px : first.width_px;
    set->height_px = options->height_px ? options->height_px : first.height_px;
    set->n_channels = options->n_channels ? options->n_channels : first.n_channels < 3 ? 1 : 3;
    set->n = l->n_items;
    set->n_classes = l->classes.n;
    eng_image_fini(&first);
    size_t n_bytes;
    if (set->width_px > ENG_DATASET_MAX_SIDE_PX || set->height_px > ENG_DATASET_MAX_SIDE_PX)
        return eng_fail(err, ENG_LIMIT, "%s: pictures of %u x %u; the limit is %d pixels a side",
                        l->root, set->width_px, set->height_px, ENG_DATASET_MAX_SIDE_PX);
    if (!eng_mul_size(set->n, eng_dataset_sample_bytes(set), &n_bytes) ||
        n_bytes > ENG_DATASET_MAX_BYTES)
        return eng_fail(err, ENG_LIMIT,
                        "%s: %zu pictures of %u x %u x %u bytes; the limit of a data set is %zu "
                        "bytes. A smaller input.size may help",
                        l->root, set->n, set->width_px, set->height_px, set->n_channels,
                        ENG_DATASET_MAX_BYTES);
    set->pixels = malloc(n_bytes);
    set->labels = eng_calloc(set->n, sizeof *set->labels);
    return set->pixels && set->labels ? ENG_OK : eng_fail_memory(err, "a data set");
}

static enum eng_status check_item(const struct loading *l, size_t i, const struct eng_image *image,
                                  struct eng_error *err)
{
    const struct eng_dataset *set = &l->set;
    char path[PATH_MAX];
    if (l->source->options->width_px ||
        (image->width_px == set->width_px && image->height_px == set->height_px))
        return ENG_OK;
    enum eng_status status = item_path(l, i, path, err);
    if (status != ENG_OK) return status;
    return eng_fail(err, ENG_FORMAT,
                    "%s: %u x %u pixels; wanted %u x %u as the first picture has, or an input.size "
                    "in the recipe",
                    path, image->width_px, image->height_px, set->width_px, set->height_px);
}

static enum eng_status read_item(const struct loading *l, size_t i, struct eng_error *err)
{
    const struct eng_dataset *set = &l->set;
    struct eng_image image;
    enum eng_status status = open_item(l, i, &image, err);
    if (status != ENG_OK) return status;
    status = check_item(l, i, &image, err);
    if (status == ENG_OK)
        status = eng_picture_fit(&image, set->width_px, set->height_px, set->n_channels,
                                 set->pixels + i * eng_dataset_sample_bytes(set), err);
    set->labels[i] = l->items[i].class;
    eng_image_fini(&image);
    return status;
}

/* Items before one that failed are still read, so that the sentence does not depend on threads. */
static void read_range(void *ctx, size_t begin, size_t end)
{
    struct loading *l = ctx;
    for (size_t i = begin; i < end; i++) {
        struct eng_error err = {0};
        pthread_mutex_lock(&l->lock);
        bool stop = l->failed_at < i;
        pthread_mutex_unlock(&l->lock);
        if (stop) return;
        if (read_item(l, i, &err) == ENG_OK) continue;
        pthread_mutex_lock(&l->lock);
        if (i < l->failed_at) {
            l->failed_at = i;
            l->failure = err;
        }
        pthread_mutex_unlock(&l->lock);
    }
}

static enum eng_status read_all(struct loading *l, struct eng_error *err)
{
    enum { GRAIN = 16 };
    l->failed_at = SIZE_MAX;
    pthread_mutex_init(&l->lock, NULL);
    eng_pool_for(l->source->pool, l->n_items, GRAIN, read_range, l);
    pthread_mutex_destroy(&l->lock);
    if (l->failed_at == SIZE_MAX) return ENG_OK;
    return eng_fail(err, l->failure.status, "%s", l->failure.text);
}

static enum eng_status load(const struct eng_dataset_source *source, struct eng_dataset *out,
                            struct eng_error *err)
{
    struct loading *l = eng_calloc(1, sizeof *l);
    if (!l) return eng_fail_memory(err, "a data set");
    l->source = source;
    l->set.kind = ENG_DATASET_PICTURES;
    eng_arena_init(&l->arena);
    enum eng_status status = find_classes(l, err);
    for (size_t c = 0; c < l->classes.n && status == ENG_OK; c++)
        status = list_class(l, c, err);
    if (status == ENG_OK) status = allocate(l, err);
    if (status == ENG_OK) status = read_all(l, err);
    if (status == ENG_OK)
        status = eng_class_names_copy(l->classes.names, l->classes.n, &l->set.class_names, err);
    if (status == ENG_OK)
        *out = l->set;
    else
        eng_dataset_fini(&l->set);
    free(l->items);
    eng_arena_fini(&l->arena);
    free(l);
    return status;
}

const struct eng_dataset_format eng_dataset_format_folder = {
    .name = "class folders",
    .wanted = "train/CLASS/ and test/CLASS/ with .png or .jpg files",
    .recognise = recognise,
    .load = load,
};
