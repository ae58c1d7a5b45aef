"""Cherry-pick: one transfer per picklist row, a new tip for each.

The vetted protocol of the dispense driver: it is the same file for every run, so that its analysis
is known and only the picklist changes. What it refuses, it refuses while it is analysed, before
anything moves.

Picklist columns (CSV, one header line, any order):
    source_slot, source_labware, source_barcode, source_well,
    destination_slot, destination_labware, destination_barcode, destination_well,
    volume_ul, liquid_class, tip_rack_slots
Slots decide what happens; barcodes are labels for people. `tip_rack_slots` is the same in every row:
slots of full tip racks, separated by blanks.

The driver counts on this order of commands: per row, in the order of the rows,
pick up tip, aspirate, dispense (exactly one of each), drop tip.
"""

import csv

metadata = {
    "protocolName": "Loopwright cherry-pick",
    "author": "Loopwright",
    "description": "One transfer per picklist row, a new tip for each.",
}
requirements = {"robotType": "OT-2", "apiLevel": "2.20"}

COLUMNS = (
    "source_slot",
    "source_labware",
    "source_barcode",
    "source_well",
    "destination_slot",
    "destination_labware",
    "destination_barcode",
    "destination_well",
    "volume_ul",
    "liquid_class",
    "tip_rack_slots",
)
PIPETTE, MOUNT, TIP_RACK = "p20_single_gen2", "left", "opentrons_96_tiprack_20ul"
SMALLEST_UL, LARGEST_UL = 1.0, 20.0


def add_parameters(parameters):
    parameters.add_csv_file(
        variable_name="picklist",
        display_name="Picklist",
        description="One transfer per row.",
    )


def run(protocol):
    # Not `parse_as_csv`: it guesses the delimiter from the first 1024 characters, and fails on long rows.
    rows = read_picklist(list(csv.reader(protocol.params.picklist.contents.splitlines())))
    plates = load_plates(protocol, rows)
    racks = [
        protocol.load_labware(TIP_RACK, slot)
        for slot in rows[0]["tip_rack_slots"].split()
    ]
    if len(rows) > 96 * len(racks):
        raise ValueError(f"{len(rows)} transfers need more tips than {len(racks)} racks hold")
    pipette = protocol.load_instrument(PIPETTE, MOUNT, tip_racks=racks)

    # Every well is looked up before the first tip is touched.
    ends = [
        (
            row["volume_ul"],
            well(plates, row["source_slot"], row["source_well"], number),
            well(plates, row["destination_slot"], row["destination_well"], number),
        )
        for number, row in enumerate(rows, start=2)
    ]
    for volume_ul, source, destination in ends:
        pipette.pick_up_tip()
        pipette.aspirate(volume_ul, source)
        pipette.dispense(volume_ul, destination)
        pipette.drop_tip()


def read_picklist(lines):
    """Rows as dictionaries; an error names the line of the file. Blank lines are not expected."""
    if len(lines) < 2:
        raise ValueError("the picklist has no transfers")
    header = [name.strip() for name in lines[0]]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise ValueError(f"the picklist lacks the columns {', '.join(missing)}")
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(header):
            raise ValueError(f"line {number}: {len(line)} fields, the header has {len(header)}")
        row = dict(zip(header, (field.strip() for field in line)))
        try:
            row["volume_ul"] = float(row["volume_ul"])
        except ValueError:
            raise ValueError(f"line {number}: volume_ul {row['volume_ul']!r} is not a number")
        if not SMALLEST_UL <= row["volume_ul"] <= LARGEST_UL:
            raise ValueError(
                f"line {number}: {row['volume_ul']} uL is outside"
                f" {SMALLEST_UL} to {LARGEST_UL} uL, what {PIPETTE} moves"
            )
        if row["tip_rack_slots"] != (rows[0] if rows else row)["tip_rack_slots"]:
            raise ValueError(f"line {number}: tip_rack_slots differs from the first row")
        rows.append(row)
    if not rows[0]["tip_rack_slots"].split():
        raise ValueError("line 2: no tip_rack_slots")
    return rows


def load_plates(protocol, rows):
    """Labware by slot; a slot with two different plates is an error."""
    named = {}
    for number, row in enumerate(rows, start=2):
        for end in ("source", "destination"):
            slot = row[f"{end}_slot"]
            plate = (row[f"{end}_labware"], row[f"{end}_barcode"])
            if named.setdefault(slot, plate) != plate:
                raise ValueError(f"line {number}: slot {slot} holds {named[slot]}, not {plate}")
    return {
        slot: protocol.load_labware(load_name, slot, label=barcode)
        for slot, (load_name, barcode) in named.items()
    }


def well(plates, slot, name, number):
    try:
        return plates[slot][name]
    except KeyError:
        raise ValueError(f"line {number}: {plates[slot].load_name} has no well {name}")
