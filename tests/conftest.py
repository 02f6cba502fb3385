"""Settings of Hypothesis (the same examples every time, no deadline), and the list of quick tests."""

import signal
from collections.abc import Sequence

import pytest
from hypothesis import settings

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.load_profile("fixed")

# `pytest -m quick`, for further versions of Python and of dependencies: whole files and, of slower ones, some tests or
# cases of a test (besides those that are marked where they stand). Every file has a part. The aim for all of them is 170 s of a
# processor where nothing is compiled yet; tests of a second and more are left out of whole files.
QUICK_FILES = frozenset(
    f"test_{name}.py"
    for name in (
        "barrier",
        "box",
        "bundle",
        "chains",
        "closed_forms",
        "columns",
        "called_kernels",
        "cost",
        "coefficient_arguments",
        "coordinates",
        "derivative",
        "domain",
        "ensemble",
        "estimate",
        "fractions",
        "hitting_unbounded",
        "independent",
        "ito_walk",
        "kernels",
        "keywords",
        "lanes",
        "normals",
        "notebook_reprs",
        "law_plane",
        "memory",
        "mutations",
        "philox",
        "pipeline",
        "plain",
        "problem",
        "published",
        "py_pde",
        "recorded",
        "refined",
        "refusals",
        "region",
        "regions_near",
        "samples_at_times",
        "shown",
        "starts",
        "store",
        "sums",
        "task",
        "times",
        "told",
        "validate_plane",
        "walk",
    )
)
SLOWER = frozenset({
    "test_domain.py::test_nobody_asks_for_the_class_of_a_wall", "test_cost.py::test_an_ito_walk_and_its_bins",
    "test_derivative.py::test_a_pore_of_twenty_micrometres_keeps_half_its_mass", "test_kernels.py::test_kernels_are_few_lines",
    "test_kernels.py::test_kernels_take_few_parameters", "test_memory.py::test_counts_of_many_steps_need_no_passages",
    "test_memory.py::test_a_law_of_walkers_that_stay_needs_no_passages",
    "test_plain.py::test_compiled_functions_are_those_of_python",
    "test_problem.py::test_round_trip_of_texts_and_numbers", "test_region.py::test_distance_of_a_room_with_two_holes",
    "test_samples_at_times.py::test_a_true_null_fails_at_the_stated_rate",
    "test_starts.py::test_a_start_outside_the_domain_is_refused", "test_starts.py::test_points_are_shared_so_that_means_are_kept",
})  # fmt: skip
QUICK_TESTS = frozenset({
    "test_barrier_options.py::test_backward", "test_kept.py::test_a_window_that_was_made_wider_is_not_that_of_the_next_run",
    "test_kept.py::test_what_functions_make_is_not_kept",
    "test_blame.py::test_a_linear_drift_is_one_declaration_for_walks_and_equations",
    "test_published_processes.py::test_three_gamblers", "test_published_processes.py::test_urns",
    "test_hitting_faces.py::test_the_simple_walk_leaves_a_quarter_plane",
    "test_random_walks.py::test_laws_and_hitting_times_of_walks_drawn_at_random[0-2]",
    "test_solver_cut_short.py::test_the_bar_is_full_at_the_end_of_each_stage",
    "test_bridges.py::test_walkers_that_may_cross_are_those_of_a_plain_loop",
    "test_solve_loose.py::test_a_stirred_torus_at_many_times",
    "test_breaks.py::test_breaks_of_formulas", "test_breaks.py::test_jumps_of_formulas",
    "test_coefficient.py::test_formulas_as_python_functions_are_traced", "test_coefficient.py::test_every_function",
    "test_coefficient.py::test_structure_is_recognised", "test_coefficient.py::test_bad_csv",
    "test_digits.py::test_a_small_step_is_made",
    "test_digits.py::test_ensembles_of_version_2_are_continued_where_their_walk_draws_the_same",
    "test_flat.py::test_layout_of_a_box", "test_few_sites.py::test_the_one_site_between_reflecting_walls",
    "test_imports.py::test_every_public_name_is_there", "test_imports.py::test_upper_floors_come_when_asked_for",
    "test_rates.py::test_rates_of_the_fick_form_are_those_half_way", "test_rates.py::test_beta_keeps_its_digits",
    "test_rates.py::test_a_bond_that_holds_a_jump_is_two_resistances",
    "test_remedies.py::test_remedies_for_too_many_steps_work", "test_solver_arguments.py::test_schemes",
    "test_stationary.py::test_every_digit_of_every_site", "test_stationary.py::test_what_is_no_walk",
    "test_step_law.py::test_sum_and_cumulants", "test_step_law.py::test_a_law_that_is_not_one_is_refused",
    "test_step_law.py::test_whole_numbers_of_any_kind_do_not_overflow",
    "test_stream_space.py::test_known_answers_of_the_stream[coins in the plane]",
    "test_stream_space.py::test_known_answers_of_the_stream[a box]",
    "test_stream_space.py::test_known_answers_of_the_stream[walls, an obstacle and a trap]",
    "test_stream_space.py::test_known_splits_of_the_stream[coins in the plane]", "test_table_plane.py::test_hermite_normal_form",
    "test_table_plane.py::test_returns_to_the_origin", "test_tracks.py::test_likelihood_is_that_of_the_dense_matrix",
    "test_tracks.py::test_files_of_many_kinds", "test_window.py::test_the_window_is_no_wider_than_the_tail",
    "test_window.py::test_a_window_may_grow_from_any_guess",
    "test_identity.py::test_functions_that_differ_are_two", "test_identity.py::test_functions_that_say_the_same_are_one",
    "test_identity.py::test_a_traced_function_travels_and_gives_the_same_bits",
    "test_uniform_p_values.py::test_what_a_row_sees",
    "test_who_wins.py::test_every_cell_has_a_number_or_a_reason", "test_who_wins.py::test_density_is_that_of_the_images",
    "test_troubles.py::test_a_probability_to_return_is_at_most_one",
    "test_cli_workers.py::test_records_that_are_none", "test_cluster_page.py::test_the_table_of_costs_is_that_of_the_kept_rates",
    "test_elementary.py::test_power_within_one_unit",
    "test_ito_program.py::test_two_point_brownian_motion_has_a_step_error_that_covers_the_truth",
    "test_bridge_stream.py::test_blocks_are_those_of_the_page", "test_emit.py::test_leaves", "test_emit.py::test_random_trees",
    "test_volterra.py::test_a_curved_bound_of_daniels_and_its_order", "test_volterra.py::test_what_is_left_to_finite_differences",
    "test_measured_tracks.py::test_the_likelihood_is_that_of_the_dense_matrix",
    "test_measured_tracks.py::test_files_as_programs_write_them_are_read_alike",
    "test_fit.py::test_estimates_are_the_maximum_in_closed_form", "test_fit.py::test_bad_requests_are_refused",
    "test_first_passage_times.py::test_bad_data_are_refused",
    "test_free.py::test_displacements_are_packed_and_unpacked", "test_free.py::test_records_do_without_counts",
    "test_moving_walls.py::test_an_end_that_moves", "test_moving_walls.py::test_paths_that_are_none",
    "test_moving_walls.py::test_a_frame_with_one_end_is_a_galilean_one", "test_moving_walls.py::test_frames_that_are_none",
    "test_paths_shown.py::test_one_time_is_points_and_a_path_keeps_its_axes",
    "test_paths_shown.py::test_parts_keep_the_domain", "test_wall_kernel.py::test_quantile_of_all_words_is_the_normal_one",
    "test_wall_kernel.py::test_words_beyond_the_reach_change_nothing",
    "test_wall_kernel.py::test_units_of_length_change_nothing",
    "test_interface.py::test_a_plane_that_depends_on_time_and_one_without_a_jump",
    "test_exit_times.py::test_places_of_passage_in_the_plane",
    "test_ito_walls.py::test_walkers_do_not_depend_on_batches_or_stretches",
    "test_backward.py::test_duality", "test_backward.py::test_repr_and_plot",
    "test_breaks_plane.py::test_a_stationary_law_beside_a_jump_is_exact",
    "test_binomial.py::test_known_answers", "test_binomial.py::test_certain_outcomes",
    "test_hitting.py::test_mean_hitting_time_of_a_path", "test_hitting.py::test_random_chains_against_fractions",
    "test_hitting.py::test_neighbours_on_a_torus", "test_hitting.py::test_bad_questions_in_the_plane",
    "test_radial.py::test_published_survival", "test_closed_form_plane.py::test_what_has_no_closed_form_says_why",
    "test_closed_form_plane.py::test_noise_that_reaches_the_place_through_the_velocity",
    "test_cli_plane.py::test_bad_input_is_one_line",
    "test_decay.py::test_decays_with_a_formula",
    "test_closed_form.py::test_gamblers_ruin", "test_closed_form.py::test_line_forms_against_mpmath",
    "test_closed_form.py::test_shapes_and_arguments", "test_closed_form.py::test_what_has_no_closed_form_says_why",
    "test_closed_form_extremes.py::test_exit_probability_keeps_its_digits", "test_conventions.py::test_masses",
    "test_cuda.py::test_half_an_installation_is_named",
    "test_docs.py::test_every_public_object_has_a_docstring", "test_docs.py::test_the_reference_has_every_public_name",
    "test_extrapolation.py::test_density_between_cells_and_beside_walls[reflecting-1e-06]",
    "test_extrapolation.py::test_polynomials_of_cells_are_exact_for_quartics_and_never_negative",
    "test_exact_law.py::test_law_is_that_of_the_dense_matrix", "test_exact_law.py::test_symmetric_walk_is_binomial",
    "test_exact_law.py::test_estimates_of_the_law",
    "test_departure.py::test_brownian_motion_with_drift", "test_platen.py::test_noise_that_is_not_linear",
    "test_expectation.py::test_the_cameron_martin_functional", "test_spheres.py::test_torsion_of_the_square",
    "test_spheres.py::test_series_of_screening_against_scipy",
    "test_cases_plane.py::test_there_are_cases_of_all_kinds", "test_cases_plane.py::test_closed_forms_judge_the_solver",
    "test_hitting_lattice.py::test_the_potential_kernel_of_the_plane", "test_backward_estimates.py::test_a_ball",
    "test_stationary_equation.py::test_a_torus_that_turns",
    "test_gallery.py::test_figure[symmetric_walk]", "test_gallery.py::test_save_animation",
    "test_honest_tensor.py::test_a_tensor_between_walls",
    "test_solver_limits.py::test_memory_that_finer_levels_lack_is_foreseen",
    "test_honest_exits.py::test_which_exits_are_irregular",
    "test_no_start.py::test_stationary_laws_and_copies", "test_points.py::test_windows_in_the_plane",
    "test_values_cut_short.py::test_levels_that_were_finished_are_an_estimate",
    "test_units.py::test_values_at_points_know_no_units[with another drift]",
    "test_honest.py::test_closed_forms", "test_validate_ito.py::test_there_are_cases",
    "test_ito_run.py::test_counts_of_different_runs_do_not_add",
    "test_ito_files.py::test_what_a_problem_says",
    "test_kinds_plane.py::test_all_kinds_answer_alike[exact law-box]",
    "test_law.py::test_cells_are_those_of_the_atoms_one_by_one", "test_law.py::test_moments_between_reflecting_walls",
    "test_planted.py::test_planted_faults_are_caught[exit sides exchanged-gamblers_ruin]",
    "test_cli.py::test_an_output_that_is_not_utf_8_gets_readable_text[solve mine.toml]",
    "test_second_account.py::test_a_law_of_another_walk_differs", "test_impossible.py::test_walkers_at_one_place",
    "test_stream_battery.py::test_words_are_those_of_philox_written_out",
    "test_p_values.py::test_two_classes_are_exact", "test_p_values.py::test_few_observations_are_judged",
    "test_pulses.py::test_steps_end_on_breaks_and_resolve_quick_parts",
    "test_simulate_plane.py::test_return_to_the_origin_of_the_plane", "test_simulate_plane.py::test_exit_from_a_square",
    "test_simulate_plane.py::test_records_of_another_dimension_are_refused",
    "test_visits.py::test_returns_of_the_coin_have_fellers_law", "test_visits.py::test_visits_are_saved_and_bad_ones_refused",
    "test_scipy_form.py::test_atoms_are_met_to_rounding", "test_scipy_form.py::test_expectations_of_a_histogram",
    "test_simulate.py::test_gamblers_ruin", "test_simulate.py::test_maximum_by_reflection",
    "test_solve.py::test_equilibrium_is_exact", "test_solve.py::test_against_scipy_on_the_same_stencil",
    "test_solve.py::test_masses_density_and_mean", "test_solve_breaks.py::test_jump_of_the_diffusion",
    "test_solve_degenerate.py::test_square_root_process",
    "test_solve_plane.py::test_obstacles_keep_a_uniform_law_uniform",
    "test_solve_plane.py::test_a_turning_gaussian_is_of_second_order_and_extrapolated_of_fourth",
    "test_solve_plane.py::test_a_double_well_with_a_tensor_is_kept_in_equilibrium",
    "test_backward_plane.py::test_duality_holds_to_rounding",
    "test_backward_plane.py::test_the_committor_of_a_disc_in_a_disc",
    "test_stationary_plane.py::test_lost_walkers_have_no_stationary_law",
    "test_stream.py::test_known_answers_of_the_stream", "test_stream.py::test_a_run_is_the_sum_of_its_ranges",
    "test_threads.py::test_several_callers_at_once",
    "test_reports.py::test_pieces_of_formulas", "test_reports.py::test_every_equation_is_typeset",
    "test_reports.py::test_a_figure_shows_the_numbers_that_it_was_given",
    "test_agree.py::test_two_samples_against_scipy", "test_agree.py::test_what_cannot_be_compared_is_told",
    "test_agree.py::test_units_change_nothing",
    "test_validate.py::test_the_report_is_complete_json_and_a_table", "test_validate.py::test_holm_against_its_definition",
})  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """The marks of SciPy's own tests, from which test_scipy_form takes checks; and Ctrl-C, which what a shell starts in the
    background does not hear."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for mark in (
        "thread_unsafe",
        "parallel_threads",
        "parallel_threads_limit",
        "slow",
        "xslow",
        "fail_slow",
        "xfail_on_32bit",
    ):
        config.addinivalue_line("markers", f"{mark}: of SciPy's tests")


@pytest.hookimpl(tryfirst=True)  # before pytest looks at -m
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    for item in items:
        file, test = item.path.name, item.name
        names = {f"{file}::{test}", f"{file}::{test.partition('[')[0]}"}
        if item.get_closest_marker("long"):
            continue
        if (file in QUICK_FILES and not SLOWER & names) or QUICK_TESTS & names:
            item.add_marker("quick")
