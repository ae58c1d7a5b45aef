"""What a device exports as Allotrope Simple Model, by allotropy (pip install allotropy): to_asm.py VENDOR FILE."""

import json
import sys

from allotropy.parser_factory import Vendor
from allotropy.to_allotrope import allotrope_from_file

vendor, path = sys.argv[1:]
json.dump(allotrope_from_file(path, Vendor[vendor]), sys.stdout)
