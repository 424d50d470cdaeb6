//! What the bot says by itself: what is due ([`due`], pure), the outbox kept in step with it ([`plan`]), and its
//! delivery ([`deliver`]). The alarm ([`alarm`]) only asks the question. Reminders of people's own ([`own`]) are due by
//! their cron expressions.

pub mod alarm;
pub mod deliver;
pub mod due;
pub mod own;
pub mod plan;
