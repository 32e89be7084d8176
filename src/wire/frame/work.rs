//! How many bytes framing looks at or moves, counted for the tests of the bound on them.

#[cfg(test)]
thread_local! {
    static BYTES: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Counts bytes that are looked at or moved. Only the functions that do so call it.
#[cfg(test)]
pub(super) fn count(bytes: usize) {
    BYTES.set(BYTES.get() + bytes);
}

/// Nothing counts outside the tests.
#[cfg(not(test))]
pub(super) fn count(_: usize) {}

/// What was counted since this was asked last.
#[cfg(test)]
pub(super) fn take() -> usize {
    BYTES.take()
}
