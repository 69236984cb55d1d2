"""The conformance suites: each check fails on a component that is wrong in its way, and none can be dropped in silence."""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import os
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch", reason="the suites run tiny networks: pip install functory-torch")

from functory.artefact.checking import read_manifest
from functory.artefact.installed import Packaged
from functory.plugins import registry as plugins
from functory_sdk import testing
from functory_sdk.testing import kit, registered
from functory_sdk.testing.faces import host
from functory_sdk.testing.guarding import checks
from functory_sdk.testing.project import _of_made_up_examples
from functory_sdk.testing.suite import Suite

SUITES = {
    "adaptations": testing.AdaptationSuite,
    "backbones": testing.BackboneSuite,
    "commands": testing.CommandSuite,
    "engines": testing.EngineSuite,
    "explanations": testing.ExplanationSuite,
    "faces": testing.FaceSuite,
    "families": testing.FamilySuite,
    "functions": testing.FunctionSuite,
    "hooks": testing.HookSuite,
    "optimizations": testing.OptimizationSuite,
    "packagers": testing.PackagerSuite,
    "packed": testing.PackedBackboneSuite,
    "readers": testing.ReaderSuite,
    "samples": testing.SampleSuite,
    "tasks": testing.TaskSuite,
}

BERT = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
        "max_position_embeddings": 32, "pad_token_id": 0}  # fmt: skip
READER_ROWS = ({"label": "pos", "text": "good"}, {"label": "neg", "text": "bad"})

TABLE = [
    # kind, broken component, the check that finds it, what it says
    ("adaptations", "Undocumented", "test_it_says_what_it_is_for", "has no docstring"),
    ("tasks", "WritesNothing", "test_decoding_that_writes_nothing_is_refused", "max_new_tokens = 0 was not refused"),
    ("tasks", "Bytewise", "test_a_text_with_half_a_character_is_refused_or_written", "told as UnicodeEncodeError"),
    ("tasks", "Overfull", "test_a_long_prompt_is_told_or_refused", "left a prompt of"),
    ("tasks", "Unguided", "test_a_guide_that_nothing_meets_is_refused_and_the_session_goes_on", "was not refused"),
    ("tasks", "Uncontrolled", "test_a_control_is_held_or_refused", "a control is passed over"),
    ("tasks", "Templateless", "test_a_template_that_attacks_is_refused", "was not refused"),
    ("tasks", "Deaf", "test_a_system_text_without_a_template_is_refused_or_read", "the system text is dropped"),
    ("adaptations", "Renamed", "test_its_kind_and_name_are_its_entrys", "nobody can type this"),
    ("adaptations", "Vague", "test_its_source_is_a_reference", "not a reference: 'some paper'"),
    ("adaptations", "Undescribed", "test_every_option_is_described", "the option 'rank' has no description"),
    ("adaptations", "Undefaulted", "test_defaults_suffice", "rank must be given"),
    ("adaptations", "Forgetful", "test_options_survive_json", "became"),
    ("adaptations", "Tolerant", "test_a_wrong_option_is_refused_by_name", "'no_such_option' was accepted"),
    ("adaptations", "Incomplete", "test_phi_alone_restores_the_outputs", r"φ than its options build: network\.layers\.0"),
    ("adaptations", "Secretive", "test_phi_alone_restores_the_outputs", r"φ than its options build: head\.hidden"),
    ("adaptations", "Enormous", "test_phi_is_small", "φ has .* numbers beside"),
    ("adaptations", "Unseeded", "test_the_same_seed_gives_the_same_phi", "differs between two fits with one seed"),
    ("adaptations", "Borrowing", "test_the_generators_of_the_process_are_left_alone", "numpy.random drew or was seeded"),
    ("adaptations", "Unreached", "test_gradients_reach_phi_and_nothing_else", r"no gradient reaches network\.idle"),
    ("adaptations", "Owning", "test_gradients_reach_phi_and_nothing_else", "is trained and is the backbone's own tensor"),
    ("adaptations", "Parting", "test_groups_are_never_parted", "a group was parted"),
    ("adaptations", "Unreached", "test_phi_has_an_effect", r"network\.idle is φ, and the outputs do not feel it"),
    ("adaptations", "Halving", "test_merged_it_computes_the_same", "merged, the outputs differ by"),
    ("backbones", "Lost", "test_weights_are_located_without_side_effects", "says no line that brings the weights"),
    ("backbones", "HeavyFacts", "test_facts_and_tokenizer_need_no_torch", "imports torch"),
    ("backbones", "Changing", "test_facts_survive_a_manifest", "differ the second time"),
    ("backbones", "Overstated", "test_declared_facts_are_the_real_ones", "declares context = 512; its facts say"),
    ("backbones", "Overstated", "test_facts_are_the_networks", "the facts know 20"),
    ("backbones", "Shifted", "test_offsets_are_places_in_the_text", "offsets leave the text|no token covers"),
    ("backbones", "Drifting", "test_the_tokenizer_survives_storing_and_threads", "tokens"),
    ("backbones", "Spelled", "test_a_spelled_special_token_is_text", r"becomes the special token"),
    ("backbones", "Unfrozen", "test_the_network_is_frozen", "requires a gradient"),
    ("backbones", "Uncuttable", "test_cut_at_every_point_equals_the_whole_pass", "cut at point 1 the states differ"),
    ("backbones", "Unmasked", "test_batches_and_padding_change_nothing", "in a batch"),
    (
        "backbones",
        "Stateful",
        "test_many_threads_give_the_same_states",
        "many threads|must match|out of range|expanded",
    ),
    ("backbones", "Misplaced", "test_written_tokens_follow_from_whole_passes", "after 1 tokens the scores of row"),
    ("backbones", "Unplaced", "test_ways_that_branch_have_the_states_of_rows_of_their_own", "after what is kept the states"),
    ("backbones", "Forgetful", "test_training_mode_leaves_likelihoods_alone_unless_states_are_left_out", "in training mode"),
    ("families", "Endless", "test_ways_that_branch_have_the_states_of_rows_of_their_own", "in one row the states"),
    ("families", "Miscounted", "test_its_facts_are_the_networks", "the network is 16 wide; the facts know 24"),
    ("families", "Scaling", "test_the_network_computes_what_the_model_does", "states are off by"),
    ("families", "Remembering", "test_cut_at_every_point_it_is_the_whole_pass", "cut at point 1 the states differ"),
    ("families", "Maskless", "test_batches_and_padding_change_nothing", "a row of 4 tokens differs by"),
    ("tasks", "Strange", "test_types_fit_together", "shorthand names 'words'"),
    ("tasks", "Unsuited", "test_what_suits_it_goes_with_it", "goes with .* and the task is put as"),
    ("tasks", "Undescribing", "test_every_field_is_described", r"Silent\.extra has no description"),
    ("tasks", "Spreading", "test_outputs_are_told_in_a_line_and_in_cells", "'labels' holds a list, which is no cell"),
    ("tasks", "Unfitting", "test_schemas_are_valid_and_outputs_fit_them", "is not one of"),
    ("tasks", "Fickle", "test_state_survives_json", "gives another state"),
    ("tasks", "Unsorted", "test_another_process_learns_and_announces_the_same", "gives another schema"),
    ("tasks", "Unordered", "test_another_process_learns_and_announces_the_same", "gives another state"),
    ("tasks", "Picky", "test_its_own_examples_pass_its_check", "no"),
    ("tasks", "Untupled", "test_its_own_examples_pass_its_check", "no tuple"),
    ("tasks", "Portless", "test_rows_fit_the_programs_ports", "'attention_mask' has shape"),
    ("tasks", "Gregarious", "test_an_input_gives_the_same_rows_in_any_company", "depend on the inputs beside them"),
    ("tasks", "Unruly", "test_long_texts_follow_the_rule", "was not refused"),
    ("tasks", "Brittle", "test_hard_inputs_give_outputs", "breaks decode"),
    ("tasks", "Goldless", "test_golden_inputs_run", "0 golden inputs"),
    ("tasks", "Leading", "test_golden_inputs_run", "no difference of probabilities"),
    ("tasks", "Racing", "test_many_threads_give_the_same_outputs", "differ between threads"),
    ("tasks", "Aimless", "test_targets_stand_where_they_say", "out of bounds"),
    ("tasks", "Mislabelling", "test_labels_fit_rows_and_ports", "'gold' has 1 axes, its port 0"),
    ("tasks", "Tagging", "test_special_tokens_are_not_trained_on", "'tags' labels a special token"),
    ("tasks", "Padded", "test_the_loss_of_a_batch_is_the_sum_of_its_rows", "a batch's loss is off"),
    ("tasks", "Headless", "test_the_head_gives_the_ports_it_declares", r"'scores' has shape \(2,\)"),
    ("tasks", "Untuned", "test_tuning_gives_a_state", "tune gave NoneType"),
    ("tasks", "Misjudging", "test_right_outputs_are_judged_right", "is judged wrong"),
    ("tasks", "Lenient", "test_right_outputs_are_judged_right", "is_right=True"),
    ("tasks", "Misnaming", "test_its_labels_take_other_names", "became"),
    ("tasks", "Overstating", "test_every_interval_holds_its_own_value", "holds not its own value"),
    ("tasks", "Costly", "test_right_outputs_score_best", "functions are chosen by it"),
    ("tasks", "Untold", "test_metrics_are_told", "metrics does not tell accuracy"),
    ("tasks", "Opaque", "test_the_breakdown_is_plain_data", "not JSON serializable"),
    ("engines", "Lengthy", "test_texts_are_read_at_one_length", "outputs are off by"),
    ("engines", "FirstAlone", "test_the_texts_of_a_row_are_read_by_themselves", "outputs are off by"),
    ("engines", "Unable", "test_it_declares_what_it_can", "can do nothing"),
    ("engines", "Averaging", "test_batches_change_nothing", "a batch changes a row"),
    ("engines", "OneRequest", "test_many_threads_share_a_session", "when threads share a session"),
    ("engines", "Doubling", "test_outputs_fit_the_ports", "fp32: 'scores'"),
    ("engines", "ClosingAll", "test_closing_ends_a_session_alone", "closed"),
    ("engines", "AnyDevice", "test_a_device_that_is_not_there_is_refused", "was accepted"),
    ("engines", "Converting", "test_a_converted_form_moves", "has none"),
    ("engines", "TorchBound", "test_a_converted_form_runs_without_torch", "running a converted form imports torch"),
    ("engines", "Converting", "test_a_form_that_is_cut_off_is_called_corrupt", "opened with half of graph"),
    ("engines", "Converting", "test_a_closed_session_says_so", "a closed session says: TypeError"),
    ("engines", "Open", "test_a_closed_session_says_so", "ran after it was closed"),
    ("engines", "Blunt", "test_a_reduced_form_spares_the_head", "one large weight of the head changes the outputs by"),
    ("engines", "Converting", "test_an_unknown_precision_is_refused", "'no-such-precision' was accepted"),
    ("engines", "Crowded", "test_generation_is_the_same_alone_and_in_any_batch", "alone, .* in a batch"),
    ("engines", "Unstoppable", "test_generation_stops_where_it_is_told", "stopped at"),
    ("engines", "Beginning", "test_a_text_begins_as_its_request_says_and_holds_nothing_that_it_forbids", "the whole text is"),
    ("engines", "Permissive", "test_a_text_begins_as_its_request_says_and_holds_nothing_that_it_forbids", "may never come"),
    ("engines", "Unguided", "test_a_guided_text_is_what_its_guide_says_and_ends_in_time", "is not what the guide says"),
    ("engines", "Unsteered", "test_a_steered_text_is_as_its_steer_changes_the_scores", "is not what the changed scores say"),
    ("engines", "Contagious", "test_what_joins_is_written_as_by_itself_and_who_leaves_or_fails_disturbs_nobody", "request's own"),
    ("engines", "Rough", "test_a_narrow_session_is_near_and_what_is_not_known_is_refused", "outputs are off by"),
    ("engines", "Neighbouring", "test_the_likelihood_of_a_text_is_what_its_writing_saw", "was not the likeliest|end is not as"),
    ("engines", "Secretive", "test_a_session_that_does_not_generate_says_so", "generated without declaring it"),
    ("engines", "Converting", "test_an_engine_that_does_not_train_says_so", "trains without declaring it"),
    ("engines", "Deaf", "test_phi_goes_out_and_comes_back", "φ did not restore the outputs"),
    ("engines", "Unseedable", "test_the_seed_decides_what_is_drawn", "one seed drew two different φ"),
    ("engines", "Seizing", "test_the_loop_learns_and_repeats_itself", "torch's generator drew or was seeded"),
    ("engines", "Resting", "test_the_loop_learns_and_repeats_itself", "did not lower the loss"),
    (
        "engines",
        "Restarting",
        "test_an_interrupted_run_ends_in_the_same_bits",
        "between an interrupted run and a whole one",
    ),
    ("explanations", "Truncating", "test_it_weighs_every_word_at_its_place", "the pieces stand at"),
    ("explanations", "Pathless", "test_it_weighs_every_text_of_an_input", "the pieces stand at"),
    ("explanations", "Guessing", "test_it_gives_the_same_weights_each_time", "two explanations of .* differ"),
    ("explanations", "Meddling", "test_it_changes_nothing", "explaining changed the function's outputs"),
    ("explanations", "Phoning", "test_it_changes_nothing", r"reaches for the network: 203\.0\.113\.1 from .*explanations\.py"),
    ("explanations", "Nameless", "test_it_names_target_score_and_method", "it calls its method ''"),
    ("explanations", "Scripted", "test_its_page_is_self_contained", "script"),
    (
        "optimizations",
        "Optimizing",
        "test_what_it_returns_is_no_worse_than_it_says",
        "the kept form lost 0.4 of accuracy",
    ),
    ("optimizations", "Optimizing", "test_a_limit_that_nothing_passes_keeps_the_original", "'worse' was kept"),
    ("optimizations", "Ruining", "test_the_given_function_is_untouched", "gives other outputs now"),
    ("packagers", "Dated", "test_two_packages_of_one_artefact_are_the_same_bytes", "differ in my-toy"),
    ("packagers", "Dated", "test_it_says_what_it_wrote_and_leaves_the_artefact_alone", "left-behind"),
    ("packed", "Vague", "test_missing_weights_are_answered_with_the_one_line_to_type", "it says 'look for them.'"),
    ("packed", "Eager", "test_locating_converts_nothing", "locating wrote into the cache"),
    ("packed", "Drawn", "test_the_weights_hash_is_the_same_on_every_machine", "the weights' hash is .*, not 9a129"),
    ("packed", "Hasty", "test_a_killed_conversion_is_never_loaded", "a killed conversion left packed"),
    ("packed", "Drawn", "test_a_killed_conversion_is_never_loaded", "told no progress"),
    ("packed", "Believing", "test_a_file_cut_short_is_refused_and_nothing_is_written", "accepted when cut to 0 bytes"),
    ("packed", "Untidy", "test_a_file_cut_short_is_refused_and_nothing_is_written", "after config.json was written"),
    ("readers", "Dotless", "test_it_is_a_reader_with_endings_as_names_have_them", "no ending: 'bars'"),
    ("readers", "Unrecognising", "test_its_own_file_is_recognised", "does not tell a format"),
    ("readers", "Greedy", "test_it_claims_no_file_of_others", "takes any folder for its own"),
    ("readers", "Placeless", "test_it_gives_the_rows_with_their_places", "'somewhere' does not name the file"),
    ("readers", "Hoarding", "test_rows_come_one_at_a_time", "read gives a list"),
    ("readers", "Changing", "test_two_readings_give_the_same_rows", "different rows"),
    ("readers", "Forgetful", "test_what_it_writes_it_reads_again", "other rows come back"),
    ("readers", "Trusting", "test_a_damaged_file_is_told_as_such", "not enough values to unpack"),
    ("samples", "Unlicensed", "test_it_is_a_sample_with_a_licence", "does not name the licence"),
    ("samples", "Unlicensed", "test_its_rows_are_the_same_each_time", "two readings give different rows"),
    ("samples", "Empty", "test_it_is_usable_as_a_data_path", "no rows|holds no|empty"),
    ("faces", "Wordless", "test_it_is_a_face_with_help_and_paths", "its help is no line"),
    ("faces", "Thief", "test_its_paths_are_no_others", "goes without the face broken"),
    ("faces", "Rewriting", "test_it_tells_what_python_gives", "it tells '{.*not '{"),
    ("faces", "Confused", "test_requests_at_once_get_each_their_own", "one gets another's answer"),
    ("faces", "Single", "test_it_may_be_in_several_servers", "it tells .*it is over"),
    ("faces", "Undescribed", "test_it_stands_on_the_openapi_page", "it says nothing of itself"),
    ("faces", "Misdescribed", "test_it_keeps_to_its_openapi_page", r"a request is not what its page says, at \$\.input"),
    ("faces", "Terse", "test_a_function_that_it_does_not_answer_is_refused_by_name", "'no-such-function' names nothing"),
    ("faces", "Terse", "test_what_is_wrong_is_told_with_what_to_do", "it does not say"),
    ("faces", "Soothing", "test_a_body_that_is_no_request_is_refused", "no JSON is answered"),
    ("faces", "Trusting", "test_a_field_that_is_another_thing_is_no_fault_of_the_servers", "is a fault: 500"),
    ("faces", "Allowless", "test_another_path_or_method_is_no_fault_of_the_servers", "405 without Allow"),
    ("faces", "Gossiping", "test_a_function_that_fails_is_told_without_its_secrets", "it tells 'secret'"),
    ("faces", "Chatty", "test_no_text_stands_in_the_log", "a client's text stands on stderr"),
    ("faces", "Soothing", "test_a_long_body_is_refused", "it is answered"),
    ("faces", "Direct", "test_a_token_has_its_own_functions_alone", "without a token: 200"),
    ("faces", "Soothing", "test_a_clients_time_is_kept", "it is answered"),
    ("faces", "Soothing", "test_one_too_many_is_told_to_come_again", "it is answered"),
    ("faces", "Direct", "test_what_a_client_left_is_not_computed", "it was computed for nobody"),
    ("commands", "Shouting", "test_it_is_a_command_with_help_and_example", "its help is no line"),
    ("commands", "Mute", "test_its_help_is_printed", "--help"),
    ("commands", "Shouting", "test_its_json_is_json", "Expecting value"),
    ("commands", "Shouting", "test_a_wrong_argument_ends_with_2", "'--no-such-option' ends with 0, not 2"),
    ("hooks", "Stepless", "test_it_implements_steps_that_exist", "no method is marked"),
    ("hooks", "Falsifying", "test_a_build_with_it_ends_as_one_without", "the report has other figures"),
]
PLANTED = [
    # the fault, as an author makes it; kind, broken component, the check that finds it, what it says
    (
        "candidates hang on when they are asked for",
        "adaptations",
        "Wavering",
        "test_the_same_examples_give_the_same_candidates",
        "asked again, it names",
    ),
    (
        "nothing is attached",
        "adaptations",
        "Detached",
        "test_a_cut_below_the_head_has_phi_in_the_network",
        "nothing is attached there",
    ),
    (
        "labels are reversed in decode",
        "tasks",
        "Reversed",
        "test_a_fitted_function_answers_its_own_examples",
        "it scores 0 on them; right answers score 1",
    ),
    (
        "the second text is ignored",
        "tasks",
        "OneEyed",
        "test_each_field_changes_the_rows",
        "the rows are the same whatever 'second' says",
    ),
    (
        "a target has a wrong index",
        "tasks",
        "Misaimed",
        "test_a_targets_value_is_its_named_score",
        "changes its score from",
    ),
    (
        "an explanation's sign is flipped",
        "explanations",
        "Flipped",
        "test_the_weightiest_words_carry_the_target",
        "lowers the target by -",
    ),
    (
        "an explanation's words are reversed",
        "explanations",
        "Backwards",
        "test_the_weightiest_words_carry_the_target",
        "lowers the target by",
    ),
    (
        "an explanation exchanges the texts of an input",
        "explanations",
        "Exchanged",
        "test_it_weighs_every_text_of_an_input",
        "lowers the target by",
    ),
    (
        "a text of a list is read by nobody",
        "tasks",
        "Neglecting",
        "test_each_field_changes_the_rows",
        r"the rows are the same whatever 'options\.1' says",
    ),
    (
        "an explanation is all zero",
        "explanations",
        "Silent",
        "test_the_weightiest_words_carry_the_target",
        "lowers the target by",
    ),
    (
        "a hook raises at every event",
        "hooks",
        "Failing",
        "test_it_is_not_set_aside",
        r"told 'start'.*no room for start.*hooks\.py, line \d+",
    ),
    (
        "an optimization reports a metric it did not measure",
        "optimizations",
        "Inventing",
        "test_its_figures_are_measured",
        "reports accuracy 0.9 for .*; measured again",
    ),
    (
        "what was learned is not all in φ",
        "adaptations",
        "Buffered",
        "test_phi_alone_restores_the_outputs",
        "with φ alone the outputs differ",
    ),
    (
        "the trunk is changed below the declared cut",
        "adaptations",
        "Untruthful",
        "test_below_the_cut_nothing_is_changed",
        "φ changes the trunk below the declared cut 5",
    ),
    (
        "padding reaches the outputs",
        "adaptations",
        "Mixing",
        "test_batches_change_nothing",
        "between alone and in a batch",
    ),
    ("nothing is fitted", "adaptations", "Idle", "test_fitting_lowers_the_loss", "the loss was"),
    (
        "an input is given another's rows",
        "tasks",
        "Ownerless",
        "test_every_row_has_its_owner",
        "owners are out of order",
    ),
    (
        "the head looks at the other rows",
        "tasks",
        "Batchy",
        "test_any_batch_gives_the_same_outputs",
        "in another batch",
    ),
    (
        "wrong answers score above right ones",
        "tasks",
        "Unfair",
        "test_right_outputs_score_best",
        "right outputs score 0",
    ),
    (
        "an engine computes a little wrongly",
        "engines",
        "OffByALittle",
        "test_every_form_gives_the_torch_forms_outputs",
        "outputs are off by 0.01",
    ),
    (
        "an explanation invents its faithfulness",
        "explanations",
        "Boasting",
        "test_its_faithfulness_is_measured",
        "it says comprehensiveness 1.0000; taking",
    ),
    (
        "a backbone that all share is changed",
        "adaptations",
        "Sharing",
        "test_a_second_function_changes_nothing_in_the_first",
        "first function's outputs changed",
    ),
]
"""Twenty-one faults of meaning: a component of each looks as it should, and answers wrongly."""
PACKED_HASH = hashlib.sha256(b"weights").hexdigest()
"""Of what the sound packed backbone converts to."""
ELSEWHERE = {
    "test_importing_it_is_light", "test_its_distribution_is_complete",  # below, from an installed distribution
    "test_a_text_whose_client_is_gone_is_written_no_further",  # by a face that writes: functory-openai's
    "test_it_is_an_explanation", "test_it_is_an_optimization", "test_it_is_a_packager",  # the loader refuses such a class
    "test_its_entry_is_its_artefact", "test_its_golden_examples_come_out_the_same", "test_it_is_called_by_name",  # below
}  # fmt: skip


@pytest.fixture(autouse=True)
def _workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import torch

    from functory_sdk.testing.toybox import isolated_cache

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setenv("FUNCTORY_CACHE", str(isolated_cache(tmp_path / "cache")))
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    plugins.refresh()
    with kit():
        yield
    torch.set_num_threads(threads)


def run(suite: type[Suite], check: str, tmp_path: Path, capsys: Any) -> None:
    """Run one check of a test class, as pytest would."""
    given = {"tmp_path": tmp_path, "capsys": capsys}
    method = getattr(suite(), check)
    method(**{name: given[name] for name in inspect.signature(method).parameters})


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "broken", "check", "says"), TABLE, ids=[f"{row[1]}-{row[2][5:]}" for row in TABLE])
def test_a_broken_component_fails_its_check_with_its_own_diagnosis(
    kind: str, broken: str, check: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    found(kind, broken, check, says, tmp_path, capsys, monkeypatch)


@pytest.mark.parametrize("planted", PLANTED, ids=[row[0].replace(" ", "-") for row in PLANTED])
def test_each_of_nineteen_planted_faults_is_caught(
    planted: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, kind, broken, check, says = planted
    found(kind, broken, check, says, tmp_path, capsys, monkeypatch)


def found(
    kind: str, broken: str, check: str, says: str, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Expect a check to fail on a broken component, with its own diagnosis."""
    module = importlib.import_module(f"broken_components.{kind}")
    body: dict[str, Any] = {"component": "broken", "__module__": __name__}
    if kind == "commands":
        body["arguments"] = ()
    if kind == "readers":
        body |= {"file_name": "a.bars", "content": b"pos|good\nneg|bad\n", "rows": READER_ROWS}
    if kind == "faces":
        body["question"] = module.question
        monkeypatch.setattr(host, "PATIENCE", 3.0)
    if kind == "families":
        body["config"] = BERT
    if kind == "packed":
        body["weights_hash"] = PACKED_HASH
    suite = type("TestBroken", (SUITES[kind],), body)
    component = getattr(module, broken)
    wanted = component() if kind == "commands" else component
    with registered(suite.kind, "broken", wanted), pytest.raises(Exception, match=f"(?s){says}") as caught:
        run(suite, check, tmp_path, capsys)
    assert not isinstance(caught.value, AttributeError | NameError | ImportError), "the component is broken otherwise"


def test_a_sound_packed_backbone_passes_where_its_hash_is_declared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = importlib.import_module("broken_components.packed").Sound
    body = {"component": "sound", "__module__": __name__}
    suite = type("TestSound", (testing.PackedBackboneSuite,), {**body, "weights_hash": PACKED_HASH})
    with registered("backbones", "sound", sound):
        for check in vars(testing.PackedBackboneSuite):
            if check.startswith("test_"):
                (tmp_path / check).mkdir()
                run(suite, check, tmp_path / check, capsys)
        check = "test_the_weights_hash_is_the_same_on_every_machine"
        with pytest.raises(AssertionError, match=r"declare the hash: weights_hash = '9a12"):
            run(type("TestHashless", (testing.PackedBackboneSuite,), body), check, tmp_path, capsys)


def test_every_check_has_a_broken_component_and_says_what_to_do() -> None:
    owed = {(name, check.__doc__ or "") for suite in SUITES.values() for name, check in checks(suite).items()}
    silent = [name for name, doc in owed if "If this fails:" not in doc]
    assert not silent, f"these checks do not say what to do: {silent}"
    shown = {row[2] for row in TABLE} | {row[3] for row in PLANTED} | ELSEWHERE
    assert {name for name, _ in owed} == shown


def test_a_check_can_be_neither_overridden_nor_dropped() -> None:
    def made(**body: Any) -> type[Suite]:
        return type("TestMine", (testing.AdaptationSuite,), {"component": "x", "__module__": __name__, **body})

    for body, says in (
        ({"test_phi_is_small": lambda self: None}, "overrides or drops the check 'test_phi_is_small'"),
        ({"test_phi_is_small": None}, "overrides or drops the check 'test_phi_is_small'"),
        ({"__test__": False}, "drops every check"),
        ({"pytestmark": pytest.mark.skip}, "is marked 'skip'"),
        ({"expected_failures": {"test_nothing": "why"}}, "no check of its suite"),
        ({"expected_failures": {"test_phi_is_small": " "}}, "gives no reason"),
    ):
        with pytest.raises(TypeError, match=says):
            made(**body)
    mixin = type("Quiet", (), {"test_phi_is_small": lambda self: None})
    with pytest.raises(TypeError, match="overrides or drops"):
        type("TestMine", (mixin, testing.AdaptationSuite), {"component": "x", "__module__": __name__})
    assert made(test_my_own=lambda self: None)


def test_a_helper_of_a_suite_can_be_neither_overridden_nor_emptied() -> None:
    def made(suite: Any, **body: Any) -> type[Suite]:
        return type("TestMine", (suite,), {"component": "x", "__module__": __name__, **body})

    for suite, body, name in (
        (testing.AdaptationSuite, {"supported": lambda self: []}, "supported"),
        (testing.AdaptationSuite, {"supported": None}, "supported"),
        (testing.AdaptationSuite, {"fit": lambda self, backbone, folder, seed=0: None}, "fit"),
        (testing.TaskSuite, {"puts": lambda self: []}, "puts"),
        (testing.TaskSuite, {"task": property(lambda self: None)}, "task"),
        (testing.EngineSuite, {"programs": lambda self, folder: iter(())}, "programs"),
        (testing.ExplanationSuite, {"explained": lambda self, text: None}, "explained"),
        (testing.CommandSuite, {"load": lambda self: None}, "load"),
        (testing.HookSuite, {"_kit": None}, "_kit"),
        (testing.BackboneSuite, {"each": lambda self, cases: cases}, "each"),
        (testing.SampleSuite, {"kind": "tasks"}, "kind"),
    ):
        with pytest.raises(TypeError, match=rf"overrides '{name}', with which the suite's checks work.*may set .*component"):
            made(suite, **body)
    mixin = type("Quiet", (), {"supported": lambda self: []})
    with pytest.raises(TypeError, match="overrides 'supported'"):
        type("TestMine", (mixin, testing.AdaptationSuite), {"component": "x", "__module__": __name__})
    assert made(testing.TaskSuite, perfect=lambda self, example, state: None, backbones=("tiny-encoder",), own=1)
    assert made(testing.PackagerSuite, artefact=lambda self, folder: folder)


def test_a_check_that_ran_on_nothing_fails_and_one_that_ran_is_counted(tmp_path: Path, capsys: Any) -> None:
    body = {"component": "broken", "__module__": __name__}
    sound = importlib.import_module("broken_components.explanations").LeavingOut
    with registered("explanations", "broken", sound):
        suite = type("TestNothing", (testing.ExplanationSuite,), {**body, "texts": ()})
        for check in ("test_it_changes_nothing", "test_it_weighs_every_word_at_its_place"):
            with pytest.raises(AssertionError, match=f"{check} ran on nothing.*expected_failures"):
                run(suite, check, tmp_path, capsys)
        told = type("TestTwo", (testing.ExplanationSuite,), {**body, "texts": ("one", "we saw it")})()
        told.test_it_changes_nothing()
        assert told.cases == 2
        told.test_it_is_an_explanation()
        assert told.cases is None, "its one case is the component"


def test_no_check_loops_over_what_a_helper_gives_without_counting() -> None:
    for suite in SUITES.values():
        for name, check in checks(suite).items():
            tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(check))))
            called = [ast.unparse(node.iter.func) for node in ast.walk(tree)
                      if isinstance(node, ast.For) and isinstance(node.iter, ast.Call)]  # fmt: skip
            drawn = [call for call in called if re.fullmatch(r"self\.\w+", call) and call != "self.each"]
            assert not drawn or "self.each" in called, f"{suite.__name__}.{name} loops over {drawn[0]}() uncounted."


TOY = """
import pytest
from functory_sdk.testing import TaskSuite

class TestToy(TaskSuite):
    component = "toy"
    {body}
"""


def outcomes(folder: Path, body: str, *more: str) -> tuple[int, str]:
    """Run a test file in a process of its own; return the exit code and what it printed."""
    import subprocess
    import sys

    (folder / "test_toy.py").write_text(TOY.format(body=body))
    plugin = ("-p", "functory_sdk.testing.project")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        *plugin,
        *more,
        str(folder / "test_toy.py"),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_an_expected_failure_is_strict_and_a_mark_set_later_is_refused(tmp_path: Path) -> None:
    only = ("-k", "golden")
    code, said = outcomes(tmp_path, 'expected_failures = {"test_golden_inputs_run": "the toy has none"}', *only)
    assert (code, "the toy has none" in said) == (1, True), said  # it passes, so it is red
    code, said = outcomes(tmp_path, "def test_golden_own(self, project): assert project.folder.is_dir()", *only)
    assert (code, "2 passed" in said) == (0, True), said
    code, said = outcomes(tmp_path, "pass\nTestToy = pytest.mark.skip(reason='later')(TestToy)", *only)
    assert (code, "list it in expected_failures" in said or "is marked 'skip'" in said) == (4, True), said


def installed(site: Path, source: str, **files: str) -> None:
    """Lay an installed distribution of one adaptation into a folder."""
    (site / "wobbly").mkdir(parents=True)
    (site / "wobbly/__init__.py").write_text(source)
    metadata = site / "wobbly-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(files.get("metadata", "Metadata-Version: 2.1\nName: wobbly\nVersion: 1.0\n\n"))
    (metadata / "entry_points.txt").write_text(
        "[functory.adaptations]\nwobbly = wobbly:Wobbly\n[functory.contract]\n1 = functory_sdk:CONTRACT\n"
    )


def test_a_heavy_import_and_an_incomplete_distribution_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site"
    installed(
        site,
        "import torch\nfrom functory_sdk.testing.toy import ToyAdaptation\nclass Wobbly(ToyAdaptation): 'Wobbles.'\n",
    )
    monkeypatch.syspath_prepend(str(site))
    plugins.refresh()
    body = {"component": "wobbly", "__module__": __name__}
    suite = type("TestWobbly", (testing.AdaptationSuite,), body)
    with pytest.raises(AssertionError, match=r"importing wobbly:Wobbly imports torch"):
        run(suite, "test_importing_it_is_light", tmp_path, capsys)
    with pytest.raises(AssertionError, match=r"wobbly lacks a summary.*a licence.*a README.*py\.typed"):
        run(suite, "test_its_distribution_is_complete", tmp_path, capsys)


def test_a_packaged_function_passes_and_a_damaged_one_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    artefact = testing.toy_function().save(tmp_path / "toy-function")
    body = {"component": "boxed", "__module__": __name__, "inputs": ("we saw the good film",)}
    suite = type("TestBoxed", (testing.FunctionSuite,), body)
    owed = ("test_its_entry_is_its_artefact", "test_its_golden_examples_come_out_the_same", "test_it_is_called_by_name")
    packaged = Packaged(artefact, read_manifest(artefact).sha256)
    with registered("functions", "boxed", packaged):
        for check in owed:
            run(suite, check, tmp_path, capsys)
        (artefact / "golden.jsonl").write_text("{}\n")
        for check in owed:
            with pytest.raises(Exception, match=r"golden\.jsonl"):
                run(suite, check, tmp_path, capsys)


def test_a_plugins_own_error_on_made_up_examples_says_that_they_are_and_what_to_set() -> None:
    def told(message: str, examples: Any) -> list[str]:
        crash = SimpleNamespace(longrepr=SimpleNamespace(reprcrash=SimpleNamespace(message=message)))
        return _of_made_up_examples(SimpleNamespace(cls=type("Test", (), {"examples": examples})), crash)  # type: ignore[arg-type]

    error = "ValueError: invalid literal for int() with base 10: 'yes'"
    [said] = told(error, ())
    assert "set `examples` in the test's class" in said
    assert not told(error, ({"text": "a"},))
    assert not told("AssertionError: right outputs score 0", ())
