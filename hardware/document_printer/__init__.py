"""Printing certificates on A4 paper: a PDF job over IPP, through a CUPS scheduler or straight to the printer."""
