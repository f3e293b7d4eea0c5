/* POST /config/reload: the daemon's own settings, read again. */
#include "api/app.h"
#include "api/handlers.h"

#include <string.h>

enum srv_handled h_config_reload(struct srv_request *request)
{
    struct srv_text changes = {0};
    struct eng_error error = {0};
    if (srv_config_live_reload(request->app->config_live, &changes, &error) != ENG_OK) {
        bool is_ours = error.status == ENG_NO_MEMORY;
        srv_reply_error(request, is_ours ? SRV_INTERNAL : SRV_CONFIG_REJECTED, "%s", error.text);
    } else {
        bool needs_restart = changes.bytes && strstr(changes.bytes, "\"holds\":\"restart\"}");
        srv_text_printf(&request->reply.body,
                        "{\"status\":\"ok\",\"restart_needed\":%s,\"changes\":[",
                        needs_restart ? "true" : "false");
        srv_text_append(&request->reply.body, changes.bytes ? changes.bytes : "", changes.n_bytes);
        srv_text_puts(&request->reply.body, "]}\n");
        request->reply.body.failed |= changes.failed;
    }
    srv_text_fini(&changes);
    return SRV_DONE;
}
