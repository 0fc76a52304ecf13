"""
The surface that programs rely on, as a table: every endpoint, and every member of its answer with its type.

This is written down once more, by hand, on purpose: it must not follow from the code it judges. In FIELDS a line is a path
and a type. `a.b` is a member of a member, `a[]` every entry of a list, `a{}` every value of an object. Types: str, int,
num, bool, time, obj, list, null; `?` adds null; `pattern` is `PTRN|` and 40 hex, `name` 40 hex, `=x` the very value x.
"""

from __future__ import annotations

PROMISED = """
POST   /sessions                                sessions
GET    /sessions                                sessions
GET    /sessions/count                          sessions
GET    /sessions/{sid}                          sessions
DELETE /sessions/{sid}                          sessions
GET    /sessions/{sid}/exists                   sessions
POST   /sessions/{sid}/extend                   sessions
GET    /sessions/{sid}/config                   configuration
POST   /sessions/{sid}/config                   configuration
PUT    /sessions/{sid}/config                   configuration
PATCH  /sessions/{sid}/config                   configuration
POST   /sessions/{sid}/observe                  episode
POST   /sessions/{sid}/observe-sequence         episode
POST   /sessions/{sid}/learn                    episode
GET    /sessions/{sid}/stm                      episode
GET    /sessions/{sid}/percept-data             episode
GET    /sessions/{sid}/cognition-data           episode
POST   /sessions/{sid}/clear-stm                episode
POST   /sessions/{sid}/clear-all                episode
POST   /sessions/{sid}/finalize-training        episode
GET    /sessions/{sid}/predictions              predictions
GET    /patterns                                knowledge
GET    /sessions/{sid}/patterns                 knowledge
GET    /pattern/{id}                            knowledge
PATCH  /pattern/{id}                            knowledge
DELETE /pattern/{id}                            knowledge
GET    /patterns/{id}                           knowledge
PATCH  /patterns/{id}                           knowledge
DELETE /patterns/{id}                           knowledge
GET    /symbols/stats                           knowledge
GET    /symbols/affinity                        knowledge
GET    /symbols/{symbol}/affinity               knowledge
GET    /percept-data                            deprecated
GET    /cognition-data                          deprecated
GET    /                                        health
GET    /health                                  health
GET    /health/live                             health
GET    /health/ready                            health
GET    /status                                  numbers
GET    /metrics                                 numbers
GET    /metrics/prometheus                      numbers
GET    /metrics/{name}                          numbers
GET    /stats                                   numbers
GET    /concurrency                             parts
GET    /cache/stats                             parts
POST   /cache/invalidate                        parts
GET    /distributed-stm/stats                   parts
GET    /connection-pools                        parts
"""

BEYOND = """
GET    /nodes                                   knowledge
GET    /nodes/{node}                            knowledge
GET    /nodes/{node}/history                    history
POST   /nodes/{node}/undo                       history
GET    /nodes/{node}/compare                    history
POST   /nodes/{node}/learn                      knowledge
POST   /nodes/{node}/predict                    predictions
POST   /nodes/{node}/explain                    predictions
GET    /requests                                numbers
GET    /server-log                              numbers
GET    /keys                                    keys
POST   /keys                                    keys
DELETE /keys/{key}                              keys
GET    /sessions/{sid}/forecast                 predictions
POST   /nodes/{node}/forecast                   predictions
"""
"""What this server has beyond what compatible programs know."""

_PAGE = "count int\ntotal int\nnext_cursor str?\nhas_more bool"
_NODE = "node_id str\nkb_id str"
_IN_SESSION = "session_id str\nnode_id str\nprocessor_id str"
_LIVES = """
session_id str\nnode_id str\nkb_id str\nprocessor_id str
status =active
created_at time\nlast_accessed time\nexpires_at time
ttl int\nremaining_ttl int\nttl_seconds int
auto_extend bool
stm_length int\ntime int
"""
_CONFIGURED = "config obj\nsession_config obj\nconfig_overrides obj"
_SESSION = f"{_LIVES}\nmetadata obj\n{_CONFIGURED}"
_NUMBERS = """
similarity num\nevidence num\nconfidence num\nsnr num\nfragmentation num\nentropy num\nnormalized_entropy num
global_normalized_entropy num\nitfdf_similarity num\ntfidf_score num\nconfluence num\npredictive_information num
potential num\nbayesian_prior num\nbayesian_likelihood num\nbayesian_posterior num\npattern_probability num
weighted_strength num
weighted_similarity num?\nweighted_evidence num?\nweighted_confidence num?\nweighted_snr num?
"""


def under(path: str, lines: str) -> str:
    """The same lines, each below a path."""
    return "\n".join(f"{path}.{line}" for line in lines.split("\n") if line.strip())


_PREDICTION = f"""
type =prototypical\nname name\npattern_name pattern\nfrequency int\nlength int
matches[] str\npast[][] str\npresent[][] str\nfuture[][] str\nmissing[] list\nextras[] list\nanomalies list\nsequence[][] str
emotives{{}} num\nmetadata{{}}[] str
{_NUMBERS}
metrics obj
metrics.frequency int
{under("metrics", _NUMBERS)}
"""
_POTENTIALS = """
future_potentials[].future[][] str\nfuture_potentials[].aggregate_potential num
future_potentials[].supporting_patterns int\nfuture_potentials[].total_weighted_frequency num
future_potentials[].symbol str\nfuture_potentials[].total_potential num\nfuture_potentials[].prediction_count int
future_potentials[].patterns[] name
symbol_potentials[].symbol str\nsymbol_potentials[].total_potential num\nsymbol_potentials[].prediction_count int
symbol_potentials[].patterns[] name
"""
_PREDICTED = f"{under('predictions[]', _PREDICTION)}\n{_POTENTIALS}"
_FORECAST = """
forecast[].symbol str\nforecast[].probability num\nforecast[].share num
forecast[].voices[].pattern_name pattern\nforecast[].voices[].sequence[][] str\nforecast[].voices[].position int
forecast[].voices[].matched[].position int\nforecast[].voices[].matched[].back int\nforecast[].voices[].matched[].event[] str
forecast[].voices[].share num\nforecast[].other_voices int\nforecast[].other_share num
count int\nsymbols int\nvoters int\nunknown num\nentropy num
novelty.score num\nnovelty.threshold null\nnovelty.is_novel null\nnovelty.symbols num\nnovelty.transitions num
novelty.together num\nnovelty.unseen_symbols[] str\nnovelty.unseen_transitions[][] str
profile.mix[].name str\nprofile.mix[].count int\nprofile.repeat num\nprofile.tested int\nprofile.hit_rate null
profile.left_out.tested int\nprofile.left_out.hit_rate null\nprofile.foretold.tested int\nprofile.foretold.hit_rate null
profile.sequence null
"""
_OBSERVED = "stm_length int\nlength int\ntime int\nunique_id str\nauto_learned_pattern pattern?\nsymbols[] str"
_RESULT = f"""
status =okay\nerror null\nsequence_position int\n{_IN_SESSION}\nstm_length int\ntime int\nunique_id str\nsymbols[] str
auto_learned_pattern pattern?
{under("predictions[]", _PREDICTION)}
"""
_CLEARED = "session_id str\nnode_id str\nstatus =cleared\nmessage str\nstm_length =0\ntime =0"
_MINDS = f"""
{under("predictions[]", _PREDICTION)}
emotives{{}} num\nsymbols[] str\nshort_term_memory[][] str\ntime int
command =\nmetadata obj\npath list\nstrings list\nvectors list
"""
_NO_MIND = """
predictions list\nemotives obj\nsymbols list\nshort_term_memory list\ntime =0
command =\nmetadata obj\npath list\nstrings list\nvectors list
"""
_RECORD = """
name pattern\npattern_name pattern\npattern_data[][] str\ndata[][] str\nlength int\nfrequency int\nmetadata{}[] str
"""
_PATTERN = f"""
pattern.status =okay
{under("pattern", _RECORD)}
pattern.emotives{{}}[] num
{under("pattern.pattern", _RECORD)}
pattern.pattern.emotives[]{{}} num
{_NODE}
"""
_PATTERNS = f"{under('patterns[]', _RECORD)}\npatterns[].emotives[]{{}} num\n{_PAGE}\n{_NODE}"
_ENTRY = """
sequence int\nat time\noperation str\npattern_name pattern?\nsession_id str?\nactor str?\ndetails obj\nhash str
"""
_ALIGNMENT = """
alignment[].kind str\nalignment[].stm_position int?\nalignment[].stm_event int?\nalignment[].pattern_position int?
alignment[].pattern_event int?\nalignment[].observed str?\nalignment[].expected str?\nalignment[].likeness num?
"""
_STANDING = "place int\nof int\nkey str\nvalue num"
_EXPLANATION = f"""
rank int\nblocks[].pattern_start int\nblocks[].stm_start int\nblocks[].length int
terms.evidence num\nterms.confidence num\nterms.snr num\nterms.itfdf_similarity num\nterms.phi num
metrics{{}}.value num\nmetrics{{}}.reason str\nmetrics{{}}.parts list
{_ALIGNMENT}
{under("selection", _STANDING)}
{under("ranking", _STANDING)}
"""
_PROVENANCE = f"""
{under("entries[]", _ENTRY)}
has_more bool\nnext_cursor str?\ntotal int\ntotal_is_exact bool
"""
_KEY = """
name str\nscope str\nprefixes[] str\ncreated_at time\ncreated_by str?\nlast_used_at time?\nrevoked_at time?\nrevoked_by str?
"""
_UPTIME = "uptime_seconds num"
_PROCESSORS = """
total_processors int\nactive_processors int\nmax_processors int?\neviction_ttl_seconds num?\npatterns_count int
processors[].processor_id str\nprocessors[].node_id str\nprocessors[].created_at time\nprocessors[].last_accessed time
processors[].access_count int\nprocessors[].idle_seconds num
memory_bytes int\nmemory_budget_bytes int?\nevictions int\nsnapshots_written int\nsnapshots_used int\nsnapshots_discarded int
processors[].is_loading bool\nprocessors[].patterns int\nprocessors[].memory_bytes int\nprocessors[].index_bytes int
processors[].rest_bytes int
"""
_STAMPS = "timestamp num\ntimestamp_iso time"
_SESSION_NUMBERS = "total_created int\ntotal_deleted int\nactive int\noperations_total int"
_PERFORMANCE = """
total_requests int\ntotal_errors int\nerror_rate num\naverage_response_time num\naverage_response_time_ms num
"""
_RESOURCES = "cpu_percent num\nmemory_percent num\ndisk_percent num"
_DATABASE = "operations int\nerrors int\navg_response_time num\nstatus str"
_DATABASES = "\n".join(under(f"databases.{name}", _DATABASE) for name in ("memory", "clickhouse", "qdrant", "redis"))
_POOL = "type str\nstatus str\nactive int\navailable int\npeak int"
_POOL_HEALTH = "healthy bool\nstatus str\nlast_check time\nerror_count int\nlast_error str?\nresponse_time_ms num"

FIELDS: dict[str, str] = {
    "POST /sessions": _SESSION,
    "GET /sessions": f"{under('sessions[]', _LIVES)}\n{_PAGE}\nnode_id str?",
    "GET /sessions/count": """
        active_session_count int\nactive_sessions int\ncount int\ntotal_sessions int\nlast_modified time?
    """,
    "GET /sessions/{sid}": _SESSION,
    "DELETE /sessions/{sid}": "status =deleted\ndeleted bool\nsession_id str\nnode_id str\nmessage str",
    "GET /sessions/{sid}/exists": "exists bool\nexpired bool\ndeleted bool\nsession_id str\nremaining_ttl int",
    "POST /sessions/{sid}/extend": """
        status =extended\nsession_id str\nttl_seconds int\nttl int\nremaining_ttl int\nexpires_at time\nmessage str
    """,
    "GET /sessions/{sid}/config": f"session_id str\nnode_id str\n{_CONFIGURED}",
    **dict.fromkeys(
        [f"{method} /sessions/{{sid}}/config" for method in ("POST", "PUT", "PATCH")],
        f"status =okay\nmessage =Configuration updated\nsession_id str\nnode_id str\n{_CONFIGURED}\n"
        "updated[] str\nttl int\nexpires_at time",
    ),
    "POST /sessions/{sid}/observe": f"""
        status =okay\n{_IN_SESSION}\n{_OBSERVED}\nstrings[] str\nemotives{{}} num\nmetadata obj\nsorted[] str\n{_PREDICTED}
    """,
    "POST /sessions/{sid}/observe-sequence": f"""
        status =completed\n{_IN_SESSION}\nobservations_processed int
        initial_stm_length int\nfinal_stm_length int\nstm_length int\ntime int
        {under("results[]", _RESULT)}
        {under("individual_results[]", _RESULT)}
        auto_learned_patterns[] pattern\npatterns_learned[] pattern\nfinal_learned_pattern pattern?\nisolated bool
        {under("final_predictions[]", _PREDICTION)}
    """,
    "POST /sessions/{sid}/learn": f"""
        status =learned\npattern_name pattern\nis_new bool\nfrequency int\nlength int\nsymbol_count int\nevents[][] str
        emotive_profile{{}}[][] num?\nmessage str\nstm_length =0\n{_IN_SESSION}\nstored_in str
    """,
    "GET /sessions/{sid}/stm": "session_id str\nnode_id str\nstm[][] str\nlength int\nstm_length int\ntime int",
    "GET /sessions/{sid}/percept-data": """
        session_id str\nnode_id str
        percept_data.strings[] str\npercept_data.vectors[][] num\npercept_data.emotives{} num
        percept_data.emotives_average{} num\npercept_data.metadata obj\npercept_data.path list\npercept_data.unique_id str
    """,
    "GET /sessions/{sid}/cognition-data": f"session_id str\nnode_id str\n{under('cognition_data', _MINDS)}",
    "POST /sessions/{sid}/clear-stm": _CLEARED,
    "POST /sessions/{sid}/clear-all": f"""
        {_CLEARED}\nscope =all\npatterns_deleted int\nsymbols_deleted int\nvectors_deleted int
    """,
    "POST /sessions/{sid}/finalize-training": """
        session_id str\nnode_id str\nstatus =completed\npatterns_processed int\ntime_ms num\nmessage str
    """,
    "GET /sessions/{sid}/predictions": f"""
        {_PREDICTED}\ncount int\n{_IN_SESSION}\ntime int\nunique_id str?
        explain.patterns_considered int\nexplain.patterns_matched int\nexplain.ensemble_size int\nexplain.returned int
        explain.filters[].name str\nexplain.filters[].passed int\nexplain.settings obj
        {under("predictions[].explanation", _EXPLANATION)}
        {under("predictions[].explanation.provenance", _PROVENANCE)}
    """,
    "GET /patterns": _PATTERNS,
    "GET /sessions/{sid}/patterns": _PATTERNS,
    **dict.fromkeys(["GET /pattern/{id}", "GET /patterns/{id}"], _PATTERN),
    **dict.fromkeys(["PATCH /pattern/{id}", "PATCH /patterns/{id}"], f"{_PATTERN}\nupdated[] str"),
    **dict.fromkeys(
        ["DELETE /pattern/{id}", "DELETE /patterns/{id}"],
        f"status =deleted\ndeleted bool\npattern_name pattern\nfrequency int\n{_NODE}",
    ),
    "GET /symbols/stats": f"""
        symbols{{}}.name str\nsymbols{{}}.frequency int\nsymbols{{}}.pattern_member_frequency int
        symbols{{}}.vector list?\n{_PAGE}\n{_NODE}
    """,
    "GET /symbols/affinity": f"affinities{{}}{{}} num\n{_PAGE}\n{_NODE}",
    "GET /symbols/{symbol}/affinity": f"symbol str\naffinity{{}} num\n{_NODE}",
    "GET /percept-data": f"percept_data obj\n{_NODE}\nwarning str",
    "GET /cognition-data": f"{under('cognition_data', _NO_MIND)}\n{_NODE}\nwarning str",
    "GET /": f"""
        service =KATO API\nversion str\ndescription str\ndocs =/docs\nhealth =/health\nstatus =running\n{_UPTIME}
        architecture =modular\nsession_support bool
    """,
    "GET /health": f"""
        status =healthy\nprocessor_status =healthy\nservice_name str\nversion str\nmessage str\n{_UPTIME}\nuptime num
        issues list\ndependencies{{}}.status str\ndependencies{{}}.required bool\ndependencies{{}}.response_time_ms num
        load.cpu_percent num\nload.memory_percent num\nfeatures.websocket_events bool\nfeatures.api_keys bool
        active_sessions int\nmetrics_collected int\nlast_collection time\ntimestamp time
    """,
    "GET /health/live": f"status =alive\n{_UPTIME}\ntimestamp time",
    "GET /health/ready": "status =ready\ndependencies obj\ntimestamp time",
    "GET /status": f"""
        status =healthy\nbase_processor_id str\nprocessor_name str\nservice_name str\nversion str\n{_UPTIME}\nuptime num
        sessions.total_sessions int\nsessions.total_created int\nsessions.total_deleted int\nsessions.expired_sessions int
        sessions.active_sessions int\nsessions.active int\nsessions.backend str
        {under("processors", _PROCESSORS)}
        session_id str?\nstm_length int\ntime int\ntimestamp time
    """,
    "GET /metrics": f"""
        {_STAMPS}
        {under("sessions", _SESSION_NUMBERS)}
        {under("performance", _PERFORMANCE)}
        {under("resources", _RESOURCES)}
        {_DATABASES}
        rates.requests_per_second num\nrates.requests_per_minute num\nrates.errors_per_minute num
        {under("processor_manager", _PROCESSORS)}
        observations_processed int\npatterns_learned int\n{_UPTIME}\nactive_sessions int\nerror null
    """,
    "GET /metrics/{name}": f"""
        metric_name str\ntime_range_minutes int\n{_STAMPS}
        statistics.count int\nstatistics.min num\nstatistics.max num\nstatistics.avg num
        data_points[].timestamp num\ndata_points[].value num\ndata_points[].labels obj
    """,
    "GET /stats": f"""
        time_range_minutes int\n{_STAMPS}
        {under("processor_manager", _PROCESSORS)}
        current_status.status =healthy\ncurrent_status.issues list\ncurrent_status.metrics.cpu_percent num
        current_status.metrics.memory_percent num\ncurrent_status.metrics.error_rate_per_min num
        current_status.timestamp time
        time_series{{}}[].timestamp num\ntime_series{{}}[].value num
        {under("summary.sessions", _SESSION_NUMBERS)}
        {under("summary.performance", _PERFORMANCE)}
        {under("summary.resources", _RESOURCES)}
        {under("summary", _DATABASES)}
        error null
    """,
    "GET /concurrency": """
        status =healthy
        current.concurrent_requests int\ncurrent.utilization_percent int
        peak.concurrent_requests int\npeak.utilization_percent int
        limits.per_worker int\nlimits.warning_threshold int\nlimits.critical_threshold int\nlimits.total_capacity int
        configuration.workers int\nconfiguration.backlog int\nconfiguration.max_requests =unlimited
        recommendations list\ntimestamp time
    """,
    "GET /cache/stats": """
        cache_performance.hit_rate num\ncache_performance.hit_rate_percent num\ncache_performance.cache_hits int
        cache_performance.total_hits int\ncache_performance.cache_misses int\ncache_performance.total_misses int
        cache_performance.total_requests int\ncache_performance.avg_hit_time_ms num\ncache_performance.avg_miss_time_ms num
        cache_performance.patterns_in_cache int\ncache_performance.symbols_in_cache int
        cache_performance.patterns_cached_total int\ncache_performance.symbols_cached_total int
        cache_performance.redis_memory_used_mb num\ncache_performance.uptime_seconds num
        cache_performance.requests_per_second num\ncache_performance.status =disabled\ncache_performance.reason str
        cache_health.status =disabled\ncache_health.redis_connected bool\ncache_health.memory_usage_mb num
        cache_health.cache_stats obj\ntimestamp time
    """,
    "POST /cache/invalidate": """
        status =disabled\npatterns_invalidated int\nsymbols_invalidated int\nsession_id str?\nreason str\ntimestamp time
    """,
    "GET /distributed-stm/stats": """
        status =disabled\ndistributed_stm_enabled bool
        performance_stats.events_published int\nperformance_stats.events_consumed int\nperformance_stats.cache_hits int
        performance_stats.cache_misses int\nperformance_stats.sync_operations int\nperformance_stats.cache_hit_rate num
        performance_stats.stream_length int\nperformance_stats.consumer_groups int\nperformance_stats.total_operations int
        performance_stats.avg_read_latency_ms num\nperformance_stats.avg_write_latency_ms num
        processor_info.sample_processor_id null\nprocessor_info.total_active_processors int
        expected_improvements obj\nreason str\nerror null\ntimestamp time
    """,
    "GET /connection-pools": f"""
        status =healthy
        {under("health{}", _POOL_HEALTH)}
        {under("pool_statistics{}", _POOL)}
        health.redis obj\nhealth.qdrant obj\nhealth.clickhouse obj
        pool_statistics.redis obj\npool_statistics.qdrant obj\npool_statistics.clickhouse obj
        connection_optimization obj\nperformance_improvements obj\nerror null\ntimestamp time
    """,
    "GET /nodes": """
        nodes[].node_id str\nnodes[].patterns int\nnodes[].sequence int\nnodes[].created_at time\nnodes[].changed_at time
        nodes[].is_loaded bool\nnodes[].symbols int?\nnodes[].size_bytes int?\ncount int\nhas_more bool
    """,
    "GET /nodes/{node}": f"""
        {_NODE}\npatterns int\nsymbols int\nfrequency int\nvectors int\nsequence int\nhead int
        created_at time?\nchanged_at time?\nsize_bytes int
    """,
    "GET /nodes/{node}/history": f"""
        {under("entries[]", _ENTRY)}\ncount int\nhead int\nnext_cursor str?\nhas_more bool\n{_NODE}
    """,
    "POST /nodes/{node}/undo": f"""
        status =undone\ncount int\nfrom int\nto int\nhead int
        restored[].pattern_name pattern\nrestored[].frequency_before int\nrestored[].frequency int
        restored_count int\n{_NODE}
    """,
    "POST /nodes/{node}/explain": f"""
        pattern_name pattern\nname name\noutcome str\nmatched bool\nsentence str
        checks[].name str\nchecks[].passed bool\nchecks[].sentence str\nsimilarity.value num
        {_ALIGNMENT}\n{under("selection", _STANDING)}
        {under("prediction", _PREDICTION)}\n{under("prediction.explanation", _EXPLANATION)}
        {under("pattern", _RECORD)}\n{under("provenance", _PROVENANCE)}
        sequence int\nconfig obj\n{_NODE}
    """,
    "GET /nodes/{node}/compare": f"""
        from.sequence int\nfrom.patterns int\nto.sequence int\nto.patterns int
        added int\nremoved int\nchanged int\ntotal int
        differences[].change str\ndifferences[].pattern_name pattern\ndifferences[].pattern_data[][] str
        differences[].frequency_before int\ndifferences[].frequency int\ndifferences[].members list
        count int\nnext_cursor str?\nhas_more bool\n{_NODE}
    """,
    "GET /requests": """
        requests[].at time\nrequests[].method str\nrequests[].route str\nrequests[].status int
        requests[].duration_ms num\nrequests[].trace_id str\ncount int\nkept int
    """,
    "GET /server-log": """
        lines[].at str\nlines[].level str\nlines[].event str\nlines[].trace_id str?\nlines[].method str?\nlines[].route str?
        lines[].status int?\nlines[].duration_ms num?\nlines[].session_id str?\nlines[].node_id str?\nlines[].key_id str?
        lines[].task str?\nlines[].withheld list\ncount int\nkept int
    """,
    "GET /keys": f"status =active\nreason null\n{under('keys[]', _KEY)}\nkeys[].id str\nkeys[].is_own bool\ncount int",
    "POST /keys": f"status =created\nkey str\nid str\n{_KEY}",
    "DELETE /keys/{key}": f"status =revoked\nid str\n{_KEY}",
    "POST /nodes/{node}/learn": f"""
        status =completed\nlearned int\nresults[].status =learned\nresults[].pattern_name pattern\nresults[].frequency int
        results[].is_new bool\n{_NODE}
    """,
    "GET /sessions/{sid}/forecast": f"{_FORECAST}\nhorizon int\nending bool\n{_IN_SESSION}\ntime int",
    "POST /nodes/{node}/forecast": f"""
        {under("results[]", _FORECAST)}\ncount int\nhorizon int\nending bool\n{_NODE}
    """,
    "POST /nodes/{node}/predict": f"""
        {under("results[]", _PREDICTED)}\nresults[].count int\ncount int\nconfig obj\n{_NODE}
    """,
}

EQUAL: dict[str, list[str]] = {
    "POST /sessions": ["node_id kb_id processor_id", "config session_config", "ttl ttl_seconds"],
    "GET /sessions": ["sessions[].node_id sessions[].kb_id sessions[].processor_id"],
    "GET /sessions/count": ["active_session_count active_sessions count"],
    "GET /sessions/{sid}": ["node_id kb_id processor_id", "config session_config", "remaining_ttl ttl_seconds"],
    "POST /sessions/{sid}/extend": ["ttl ttl_seconds"],
    **{f"{method} /sessions/{{sid}}/config": ["config session_config"] for method in ("GET", "POST", "PUT", "PATCH")},
    "POST /sessions/{sid}/observe": ["node_id processor_id", "stm_length length"],
    "POST /sessions/{sid}/observe-sequence": [
        "results individual_results",
        "auto_learned_patterns patterns_learned",
        "final_stm_length stm_length",
        "node_id processor_id",
    ],
    "POST /sessions/{sid}/learn": ["node_id processor_id stored_in"],
    "GET /sessions/{sid}/stm": ["length stm_length"],
    "GET /sessions/{sid}/predictions": [
        "node_id processor_id",
        *(
            f"predictions[].{name} predictions[].metrics.{name}"
            for name in ("frequency", *(line.split()[0] for line in _NUMBERS.split("\n") if line.strip()))
        ),
        "future_potentials[].supporting_patterns future_potentials[].prediction_count",
    ],
    "GET /sessions/{sid}/forecast": ["node_id processor_id"],
    "GET /patterns": [
        "patterns[].name patterns[].pattern_name",
        "patterns[].data patterns[].pattern_data",
        "node_id kb_id",
    ],
    "GET /pattern/{id}": [
        "pattern.name pattern.pattern_name pattern.pattern.name",
        "pattern.data pattern.pattern.data",
    ],
    "GET /health": ["uptime uptime_seconds"],
    "GET /status": [
        "uptime uptime_seconds",
        "sessions.total_sessions sessions.total_created",
        "sessions.active sessions.active_sessions",
        "base_processor_id processor_name service_name",
    ],
    "GET /metrics": ["active_sessions sessions.active"],
    "GET /cache/stats": [
        "cache_performance.cache_hits cache_performance.total_hits",
        "cache_performance.cache_misses cache_performance.total_misses",
    ],
}
"""Members that carry one value under several names."""


def endpoints(table: str) -> list[tuple[str, str, str]]:
    """(method, path, section) of every row."""
    return [(method, path, section) for method, path, section in map(str.split, table.split("\n")[1:-1])]


def fields(endpoint: str) -> list[tuple[str, str]]:
    """(path, type) of every member of an endpoint's answer."""
    found = []
    for line in FIELDS[endpoint].split("\n"):
        if line.strip():
            path, _, kind = line.strip().partition(" ")
            found.append((path, kind))
    return found
