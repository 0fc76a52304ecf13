"""Episodes through the embedded memory: observing, learning by itself, sequences, what outlasts what."""

from __future__ import annotations

import pytest

from kato import (
    EmptyMemory,
    InvalidVector,
    Kato,
    LimitExceeded,
    SessionExpired,
    SessionNotFound,
    VectorDimensionMismatch,
)


class Hand:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_700_000_000_000_000

    def __call__(self) -> int:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += int(seconds * 1_000_000)


@pytest.fixture
def hand():
    return Hand()


@pytest.fixture(params=["memory", "file"])
def kato(request, tmp_path, hand):
    location = ":memory:" if request.param == "memory" else tmp_path
    with Kato(location, clock=hand) as found:
        found.create_session("node")
        yield found


def names(answer):
    return [prediction["name"] for prediction in answer["predictions"]]


def learn(kato, *events):
    for event in events:
        kato.observe(list(event))
    return kato.learn()["pattern_name"]


def test_an_observation_tells_what_became_of_it(kato):
    answer = kato.observe(["b", "a", "b"], vectors=[[1.0]], emotives={"joy": 1}, metadata={"k": [1]})
    assert answer["strings"] == ["b", "a", "b"]
    assert answer["sorted"] == ["a", "b", "b"]
    assert answer["symbols"][0].startswith("VCTR|")
    assert answer["symbols"][1:] == ["a", "b", "b"]
    assert (answer["stm_length"], answer["length"], answer["time"]) == (1, 1, 1)
    assert answer["emotives"] == {"joy": 1}
    assert answer["metadata"] == {"k": [1]}
    assert answer["auto_learned_pattern"] is None
    assert answer["unique_id"].startswith("obs-")
    assert "predictions" not in answer


def test_an_observation_without_content_moves_only_time_and_gathers(kato):
    answer = kato.observe([], emotives={"joy": 0.5}, metadata={"k": 1})
    assert (answer["stm_length"], answer["time"], answer["symbols"]) == (0, 1, [])
    learned = learn(kato, "a", "b")
    pattern = kato.get_pattern(learned, node_id="node")["pattern"]
    assert pattern["emotives"] == {"joy": [0.5]}
    assert pattern["metadata"] == {"k": ["1"]}


def test_learning_nothing_is_refused_and_one_symbol_is_too_little(kato):
    with pytest.raises(EmptyMemory):
        kato.learn()
    kato.observe(["alone"])
    answer = kato.learn()
    assert answer["status"] == "insufficient_data"
    assert answer["pattern_name"] == ""
    assert (answer["length"], answer["symbol_count"], answer["frequency"], answer["is_new"]) == (1, 1, 0, False)
    assert kato.get_stm()["length"] == 0


def test_learning_again_raises_the_frequency(kato):
    first = learn(kato, "a", "b")
    kato.observe(["a"], emotives={"joy": 1.0})
    kato.observe(["b"])
    again = kato.learn()
    assert again["pattern_name"] == first
    assert (again["frequency"], again["is_new"]) == (2, False)
    assert again["emotive_profile"] == {"joy": [[1.0]]}
    assert kato.get_stm()["time"] == 4


def test_clear_learns_and_empties_at_the_configured_length(kato):
    kato.update_config({"max_pattern_length": 2})
    assert kato.observe(["a"])["auto_learned_pattern"] is None
    answer = kato.observe(["b"])
    assert answer["auto_learned_pattern"].startswith("PTRN|")
    assert answer["stm_length"] == 0


def test_rolling_keeps_the_newest_events_without_their_emotives(kato):
    kato.update_config({"max_pattern_length": 3, "stm_mode": "ROLLING"})
    for word in "abcd":
        answer = kato.observe([word], emotives={"joy": float(ord(word))})
    assert kato.get_stm()["stm"] == [["c"], ["d"]]
    pattern = kato.get_pattern(answer["auto_learned_pattern"], node_id="node")["pattern"]
    assert pattern["data"] == [["b"], ["c"], ["d"]]
    assert pattern["emotives"] == {"joy": [float(ord("d"))]}


def test_a_lowered_length_learns_the_whole_memory(kato):
    for word in "abcde":
        kato.observe([word])
    kato.update_config({"max_pattern_length": 2, "stm_mode": "ROLLING"})
    answer = kato.observe(["f"])
    assert kato.get_pattern(answer["auto_learned_pattern"], node_id="node")["pattern"]["length"] == 6
    assert kato.get_stm()["stm"] == [["f"]]


def test_cognition_outlasts_learning_and_ends_with_clearing(kato):
    learn(kato, "a", "b", "c")
    learn(kato, "a", "b", "c")
    kato.observe(["a"])
    kato.observe(["b"])
    before = kato.get_cognition_data()["cognition_data"]
    assert before["predictions"][0]["future"] == [["c"]]
    kato.learn()
    after = kato.get_cognition_data()["cognition_data"]
    assert len(after["predictions"]) == 2
    assert after["short_term_memory"] == []
    kato.clear_stm()
    assert kato.get_cognition_data()["cognition_data"]["predictions"] == []
    assert kato.get_percept_data()["percept_data"] == {}
    assert kato.get_stm()["time"] == 0


def test_an_observation_without_an_event_has_no_predictions(kato):
    learn(kato, "a", "b")
    kato.observe(["a"])
    kato.observe([], emotives={"joy": 1.0})
    assert kato.get_cognition_data()["cognition_data"]["predictions"] == []
    assert len(kato.get_predictions()["predictions"]) == 1


def test_the_percept_is_the_last_observation_with_the_running_mean(kato):
    kato.observe(["x"], emotives={"joy": 1.0})
    kato.observe(["b", "a"], emotives={"joy": 0.0, "fear": 0.5}, metadata={"k": 1}, vectors=[[2, 1]])
    percept = kato.get_percept_data()["percept_data"]
    assert percept["strings"] == ["a", "b"]
    assert percept["vectors"] == [[2.0, 1.0]]
    assert percept["emotives"] == {"joy": 0.0, "fear": 0.5}
    assert percept["emotives_average"] == {"fear": 0.5, "joy": 0.5}
    assert percept["path"] == []
    kato.learn()
    assert kato.get_percept_data()["percept_data"] == percept


def test_predictions_can_be_asked_for_an_earlier_observation(kato):
    learn(kato, "a", "b", "c", "d")
    first = kato.observe(["a"])["unique_id"]
    kato.observe(["b"])
    kato.observe(["c"])
    assert kato.get_predictions(unique_id=first)["predictions"][0]["future"] == [["b"], ["c"], ["d"]]
    assert kato.get_predictions(unique_id=first)["unique_id"] == first
    unknown = kato.get_predictions(unique_id="never")
    assert unknown["predictions"] == []
    assert "never" in unknown["warnings"][0]
    last = kato.get_predictions()["unique_id"]
    kato.learn()
    assert kato.get_predictions(unique_id=last)["predictions"][0]["matches"] == ["a", "b", "c"]
    assert kato.get_predictions(unique_id=first)["predictions"] == []


def test_an_empty_name_asks_for_no_earlier_observation_and_one_too_long_is_refused(kato):
    learn(kato, "a", "b", "c")
    kato.observe(["a"], unique_id="")
    now = kato.get_predictions()
    assert now["count"] == 1
    assert kato.get_predictions(unique_id="") == now
    assert kato.get_predictions(unique_id="u" * 256)["predictions"] == []
    with pytest.raises(LimitExceeded) as refused:
        kato.get_predictions(unique_id="u" * 257)
    assert refused.value.detail[0]["ctx"] == {"limit": 256, "actual": 257, "setting": "fixed"}
    assert refused.value.detail[0]["loc"] == ["query", "unique_id"]


def test_a_sequence_is_as_if_each_were_observed_alone(kato):
    answer = kato.observe_sequence([{"strings": ["a"]}, {"strings": ["b"]}, {"strings": ["c"]}], learn_at_end=True)
    assert answer["status"] == "completed"
    assert (answer["observations_processed"], answer["initial_stm_length"], answer["final_stm_length"]) == (3, 0, 0)
    assert answer["auto_learned_patterns"] == [answer["final_learned_pattern"]]
    assert [item["stm_length"] for item in answer["results"]] == [1, 2, 3]
    assert answer["results"] == answer["individual_results"]
    assert answer["final_learned_pattern"] == "PTRN|b98534b32c1d7489d4ce1a48724aa65aeecbdba9"


def test_clearing_between_isolates_events_but_gathers_the_rest(kato):
    kato.observe(["old"])
    answer = kato.observe_sequence(
        [{"strings": ["a", "x"], "emotives": {"joy": 1.0}}, {"strings": ["b", "y"], "emotives": {"joy": 0.0}}],
        clear_stm_between=True,
        learn_at_end=True,
    )
    assert answer["isolated"] is True
    pattern = kato.get_pattern(answer["final_learned_pattern"], node_id="node")["pattern"]
    assert pattern["data"] == [["b", "y"]]
    assert pattern["emotives"] == {"joy": [1.0, 0.0]}


def test_learning_after_each_says_where_there_was_too_little(kato):
    answer = kato.observe_sequence([{"strings": ["a"]}, {"strings": ["b", "c"]}], learn_after_each=True)
    assert [item["status"] for item in answer["results"]] == ["insufficient_data", "okay"]
    assert answer["patterns_learned"] == [answer["results"][1]["auto_learned_pattern"]]


def test_an_empty_sequence_learns_what_is_held_and_nothing_from_nothing(kato):
    assert kato.observe_sequence([], learn_at_end=True)["final_learned_pattern"] is None
    kato.observe(["a"])
    answer = kato.observe_sequence([], learn_at_end=True)
    assert answer["final_learned_pattern"] is None
    assert "single symbol" in answer["warnings"][0]
    kato.observe(["a", "b"])
    assert kato.observe_sequence([], learn_at_end=True)["final_learned_pattern"].startswith("PTRN|")


def test_predictions_within_a_sequence_see_what_it_learned_before(kato):
    answer = kato.observe_sequence(
        [
            {"strings": ["a", "b"]},
            {"strings": ["c", "d"], "include_predictions": True},
            {"strings": ["a"], "include_predictions": True},
        ],
        learn_after_each=True,
        include_predictions=True,
    )
    assert answer["results"][1]["predictions"] == []
    found = answer["results"][2]["predictions"]
    assert [prediction["sequence"] for prediction in found] == [[["a", "b"]]]
    assert answer["final_predictions"] == found


def test_predictions_at_observe_time_are_for_before_the_learning(kato):
    kato.update_config({"max_pattern_length": 2})
    learn(kato, "a")
    kato.observe_sequence([{"strings": ["a"]}, {"strings": ["b"]}])
    answer = kato.observe_sequence(
        [{"strings": ["a"], "include_predictions": True}, {"strings": ["b"], "include_predictions": True}]
    )
    assert [len(item["predictions"]) for item in answer["results"]] == [1, 1]
    assert answer["results"][1]["predictions"][0]["frequency"] == 1
    assert kato.get_cognition_data()["cognition_data"]["predictions"][0]["frequency"] == 2


def test_silenced_predictions_are_said_and_asking_still_works(kato):
    learn(kato, "a", "b")
    kato.update_config({"process_predictions": False})
    answer = kato.observe_sequence([{"strings": ["a"], "include_predictions": True}])
    assert answer["results"][0]["predictions"] == []
    assert any("process_predictions" in warning for warning in answer["warnings"])
    assert len(kato.get_predictions()["predictions"]) == 1


def test_vectors_bring_their_learned_neighbours(kato):
    one = kato.observe(["p"], vectors=[[0.0, 0.0]])["symbols"][0]
    kato.observe(["q"])
    kato.learn()
    near = kato.observe([], vectors=[[0.0, 1.0]])
    assert one in near["symbols"]
    assert len(near["symbols"]) == 2
    odd = kato.observe([], vectors=[[1.0, 2.0, 3.0]])
    assert "none of that dimension" in odd["warnings"][0]
    kato.clear_stm()
    kato.clear_all()
    assert len(kato.observe([], vectors=[[0.0, 1.0]])["symbols"]) == 1


def test_vectors_that_are_none_are_refused(kato):
    with pytest.raises(InvalidVector):
        kato.observe([], vectors=[[]])
    kato.update_config({"vector_dim": 3})
    with pytest.raises(VectorDimensionMismatch) as refused:
        kato.observe([], vectors=[[1.0, 2.0, 3.0], [1.0]])
    assert refused.value.detail["vector_index"] == 1
    assert kato.get_stm()["time"] == 0


def test_what_one_session_learns_every_session_of_the_node_knows(kato):
    other = kato.node("node").session()
    stranger = kato.node("node ").session()
    learn(kato, "a", "b")
    other.observe(["a"])
    stranger.observe(["a"])
    assert len(other.get_predictions()["predictions"]) == 1
    assert stranger.get_predictions()["predictions"] == []


def test_a_session_slides_with_every_access_and_expires(kato, hand):
    kato.create_session("node", ttl=10)
    hand.forward(8)
    kato.get_stm()
    hand.forward(8)
    assert kato.session_exists()["exists"] is True
    hand.forward(3)
    state = kato.session_exists()
    assert (state["exists"], state["expired"], state["remaining_ttl"]) == (False, True, 0)
    session_id = kato.session_id
    with pytest.raises(SessionExpired):
        kato.delete_session()
    kato.session_id = session_id
    hand.forward(3601)
    kato.count_sessions()
    with pytest.raises(SessionNotFound):
        kato.get_stm()


def test_less_than_a_hundredth_of_a_lifetime_is_stored_by_the_sweep(kato, hand):
    sessions, storage = kato._system.sessions, kato._system.storage
    made = kato.create_session("node", ttl=100)

    def expiries():
        return storage.session(made).expires_at - hand.now, sessions._live[made].expires_at - hand.now

    hand.forward(0.25)
    kato.observe(["a"])
    assert expiries() == (99_750_000, 100_000_000)
    sessions.expiries.store()
    assert expiries() == (100_000_000, 100_000_000)
    hand.forward(1)
    kato.get_stm()
    assert expiries() == (100_000_000, 100_000_000)
    hand.forward(0.5)
    kato.observe(["b"])
    kato.delete_session()
    sessions.expiries.store()  # of a session that has ended there is nothing to store
    assert storage.session(made) is None


def test_closing_stores_how_far_sessions_slid(tmp_path, hand):
    with Kato(tmp_path, clock=hand) as kato:
        made = kato.create_session("node", ttl=100)
        hand.forward(0.5)
        kato.observe(["a"])
    with Kato(tmp_path, clock=hand) as kato:
        kato.session_id = made
        hand.forward(99.75)
        assert kato.session_exists()["exists"] is True


def test_clear_all_forgets_the_node_and_only_it(kato):
    learn(kato, "a", "b")
    kept = kato.node("other").session()
    kept.observe(["a"])
    kept.observe(["b"])
    kept.learn()
    answer = kato.clear_all()
    assert (answer["scope"], answer["patterns_deleted"], answer["symbols_deleted"]) == ("all", 1, 2)
    assert kato.clear_all()["patterns_deleted"] == 0
    assert kato.list_patterns(node_id="node")["total"] == 0
    assert kato.list_patterns(node_id="other")["total"] == 1
    assert kato.finalize_training()["patterns_processed"] == 0


def test_rule_1_8_clearing_forgets_the_episode_and_nothing_else(kato):
    learn(kato, "ab", "cd")
    kato.update_config({"persistence": 7})
    kato.observe(["a"], [[1.0]], {"joy": 1.0}, {"k": 1})
    kato.clear_stm()
    assert (kato.get_stm()["stm"], kato.get_stm()["time"], kato.get_percept_data()["percept_data"]) == ([], 0, {})
    kato.observe(["a", "b"])
    kato.observe(["c", "d"])
    assert kato.get_config()["config_overrides"] == {"persistence": 7}
    learned = kato.learn()
    assert (learned["frequency"], learned["emotive_profile"]) == (2, {})
    assert kato.get_pattern(learned["pattern_name"], node_id="node")["pattern"]["metadata"] == {}


def test_rule_2_6_finalizing_counts_the_patterns_and_changes_no_prediction(kato):
    for last in ("c", "d", "c"):
        learn(kato, "a", "b", last)
    kato.observe(["a"], emotives={"joy": 0.1})
    before = kato.get_predictions()
    assert kato.finalize_training()["patterns_processed"] == 2
    assert kato.get_predictions() == before
    assert [each["frequency"] for each in before["predictions"]] == [2, 1]


def test_a_long_memory_of_empty_observations_does_not_grow(tmp_path):
    with Kato(tmp_path) as kato:
        session_id = kato.create_session("node")
        kato.observe(["first"])
        kato.observe_sequence([{} for _ in range(4000)])
        state = kato.system.sessions._live[session_id].state
        assert len(state.steps) < 3100
        assert kato.get_stm()["stm"] == [["first"]]
    with Kato(tmp_path) as kato:
        kato.session_id = session_id
        assert kato.get_stm()["time"] == 4001
