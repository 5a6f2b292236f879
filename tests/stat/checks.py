"""What the tests of stat's output share: a check that goes on, and says so at the end."""

failures = 0


def check(good, text):
    global failures
    if not good:
        failures += 1
        print(f"FAIL {text}")
