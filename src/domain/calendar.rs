//! Months, phases and posting instants (design: dates are calendar dates of the organisation's zone).
