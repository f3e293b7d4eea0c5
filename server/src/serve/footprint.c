/* What a version takes of memory_limit: counted as it is loaded, given back when it is freed. */
#include "base/fail.h"
#include "serve/served_parts.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

/* Loading takes that many times the file, and what stays no more (engine/model.h). */
static const double BYTES_PER_FILE_BYTE = 1.5;

/* Of all files in the folder: weights may lie beside model.onnx. A folder that cannot be read has
 * nothing; opening the model says why. */
static size_t folder_bytes(const char *path)
{
    size_t n_bytes = 0;
    DIR *folder = opendir(path);
    if (!folder) return 0;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        struct stat info;
        if (fstatat(dirfd(folder), entry->d_name, &info, 0) == 0 && S_ISREG(info.st_mode))
            n_bytes += (size_t)info.st_size;
    }
    closedir(folder);
    return n_bytes;
}

static enum eng_status take(struct srv_served *served, size_t n_bytes, struct eng_error *err)
{
    enum eng_status status = srv_memory_take(served->options.memory, n_bytes, served->name, err);
    if (status == ENG_OK) served->memory_bytes += n_bytes;
    return status;
}

enum eng_status srv_footprint_take_file(struct srv_served *served,
                                        const struct srv_model_source *source,
                                        struct eng_error *err)
{
    if (!served->options.memory) return ENG_OK;
    size_t n = source->bytes ? source->n_bytes : folder_bytes(source->folder);
    return take(served, (size_t)((double)n * BYTES_PER_FILE_BYTE), err);
}

enum eng_status srv_footprint_take_session(struct srv_served *served,
                                           const struct eng_session *session, struct eng_error *err)
{
    size_t n_answers = 2 * served->n_classes, n_samples = 0;
    const char *name;
    /* Otherwise samples are placed in the arena. */
    if (eng_model_runs_one_by_one(served->model) ||
        eng_model_input(served->model, 0, &name).dtype != ENG_FLOAT32)
        n_samples = eng_preprocess_count(served->preprocess);
    size_t n = (size_t)eng_model_max_batch(served->model) * (n_answers + n_samples);
    return take(served, eng_session_arena_bytes(session) + n * sizeof(float), err);
}

void srv_footprint_give(struct srv_served *served, size_t n_bytes)
{
    srv_memory_give(served->options.memory, n_bytes);
    served->memory_bytes -= n_bytes;
}
