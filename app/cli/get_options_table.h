/* cli/get_options_table.h - the options of `cleat get`, by number. */
#ifndef CL_CLI_GET_OPTIONS_TABLE_H
#define CL_CLI_GET_OPTIONS_TABLE_H

enum get_option_id {
    GET_HEADING = 0,
    GET_ALPN,
    GET_SSL_SESSIONS,
    GET_DATA,
    GET_DATA_BINARY,
    GET_DATA_RAW,
    GET_DUMP_HEADER,
    GET_EARLY_DATA,
    GET_FAIL,
    GET_FAIL_WITH_BODY,
    GET_GLOBOFF,
    GET_HEAD,
    GET_HEADER,
    GET_HELP,
    GET_HTTP11,
    GET_INCLUDE,
    GET_JSON,
    GET_LOCATION,
    GET_MAX_REDIRS,
    GET_MAX_TIME,
    GET_METHOD,
    GET_NO_ALPN,
    GET_NO_PROGRESS,
    GET_OUTPUT,
    GET_PROGRESS_BAR,
    GET_RANGE,
    GET_REFERER,
    GET_REMOTE_NAME,
    GET_SHOW_ERROR,
    GET_SILENT,
    GET_URL,
    GET_USER,
    GET_USER_AGENT,
    GET_WRITE_OUT,
};

#endif
