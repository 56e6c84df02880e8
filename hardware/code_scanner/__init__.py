"""Code scanners: serial ones with trigger codes, and those that type (HID), grabbed before a screen hears them."""
