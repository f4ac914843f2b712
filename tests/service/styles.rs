//! For every procedure, made-up valid and invalid inputs come to the same result and the same typed failure in every
//! style.

use crate::{
    contract, operator_role, program,
    support::styles::{
        agreement::{SEED, Subject, check, within_a_quarter},
        drivers,
        play::{Composer, Who},
    },
};

/// How often each procedure is called in each style.
const TIMES: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_style_gives_the_same_answers() {
    within_a_quarter(compare_styles).await;
}

async fn compare_styles() {
    let signs = Some((functions::SERVICE.name, operator_role()));
    let subject = Subject { contract: contract(), program: program().to_owned(), signs };
    let first = drivers::first();
    let running = subject.start().await;
    let mut composer = Composer::new(&subject.contract, running.stage().await, &first, SEED);
    composer.register("anna").await;
    let permissions: Vec<_> = functions::SERVICE.permissions.iter().map(|(permission, _)| *permission).collect();
    composer.knows(&permissions);
    let mut callers: Vec<_> = functions::SERVICE.roles.iter().map(|role| Who::Operator(role)).collect();
    callers.extend([Who::Operator(operator_role()), Who::Operator(operator_role()), Who::Nobody]);
    let script = composer.call_everything(TIMES, &callers).await;
    check(&subject, &script, &running.service).await;
}
