"""What the proof reads out of dumps and structures."""

import pytest

from trueup.parity.schema.planning.dumps import listed, same_dumps
from trueup.parity.schema.planning.proof import beyond, scratch_version, unquoted
from trueup.parity.schema.planning.running import Unproved

TABLE = ["CREATE TABLE public.a (", "    x integer,", "    y integer", ");"]
OTHER = ["CREATE TABLE public.a (", "    y integer,", "    x integer", ");"]


def test_equal_dumps_need_no_remark():
    assert list(same_dumps(TABLE, TABLE)) == []


def test_dumps_that_differ_in_the_order_of_columns_name_the_table():
    [remark] = same_dumps(TABLE, OTHER)

    assert remark.endswith("in public.a")


@pytest.mark.parametrize("planned", [[*TABLE[:2], ");"], [*TABLE, *TABLE]], ids=["less", "twice"])
def test_dumps_that_differ_in_more_are_no_proof(planned):
    with pytest.raises(Unproved, match="dumps of the outcome"):
        list(same_dumps(planned, TABLE))


@pytest.mark.parametrize(("major", "version"), [(14, 18), (16, 16), (17, 18), (18, 18)])
def test_plan_is_proved_on_the_version_of_the_target_where_there_is_one(major, version):
    assert scratch_version(major) == version


def test_long_list_is_cut_and_counted():
    assert listed("abcdefg") == "a, b, c, d, e and 2 more"


@pytest.mark.parametrize(("name", "kept"), [("app", "app"), ('"an ""app"""', 'an "app"')])
def test_name_is_read_as_the_server_keeps_it(name, kept):
    assert unquoted(name) == kept


def test_what_no_comparison_looks_at_is_said_where_the_sides_have_other_amounts_of_it():
    source, target = {"gadget": 2, "widget": 1, "large object": 7}, {"widget": 1, "name of a domain's check": 1}

    assert list(beyond(source, target)) == [
        "not compared, and so not planned: gadget (2 in the source, 0 in the target)"
    ]
