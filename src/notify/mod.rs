//! What the bot says by itself: what is due ([`due`], pure), the outbox kept in step with it ([`plan`]), and its
//! delivery ([`deliver`]). The alarm ([`alarm`]) only asks the question.

pub mod alarm;
pub mod deliver;
pub mod due;
pub mod plan;
