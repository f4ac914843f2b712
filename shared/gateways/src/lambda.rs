//! The `main` of a gateway's function.

use std::{process::ExitCode, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use protocol::{Cause, Code, Fault, contract::Contract};
use runtime::{
    Addressee, BoxFuture, Environment, Site,
    cors::Cors,
    environment,
    lambda::{Handler, gateway},
    refuse,
};
use tokio::time::Instant;

use crate::{
    Gateway, Settings, Style, Transport,
    invoke::{Invoke, RequestDeadline},
};

/// Runs a style as a Lambda function, for the service of this contract, until the platform ends the process.
pub(crate) fn lambda<S: Style + 'static>(
    make: fn(&Contract, Settings) -> Result<S, Cause>,
    contract: &'static str,
) -> ExitCode {
    gateway(Box::new(move |environment| {
        let contract = Contract::parse(contract)?;
        let style = Box::new(make(&contract, Settings::of(&environment))?);
        handler(style, contract, environment)
    }))
}

/// The handler of a style's requests, with the settings of the environment.
pub(crate) fn handler(style: Box<dyn Style>, contract: Contract, environment: Environment) -> Result<Handler, Cause> {
    let Environment { url, app_url, allowed_origins, functions, .. } = environment;
    let (cors, site) = (Cors::from_list(&allowed_origins), Arc::new(Site::new(&url, &app_url, &allowed_origins)));
    let transport: Arc<dyn Transport> = match (style.spec().calls, functions) {
        (true, Some(settings)) => Arc::new(Invoke::new(settings, &contract, cors.clone(), Arc::clone(&site))?),
        (true, None) => return Err(format!("{} is not set", environment::FUNCTIONS).into()),
        (false, _) => Arc::new(Nothing { cors: cors.clone(), site: Arc::clone(&site) }),
    };
    let time = Duration::from_millis(style.spec().timeout_ms.into());
    let gateway = Arc::new(Gateway { style, contract: Arc::new(contract), transport, cors, site });
    Ok(Arc::new(move |request_id, mut request| {
        let gateway = Arc::clone(&gateway);
        request.extensions_mut().insert(RequestDeadline(Instant::now() + time));
        Box::pin(async move { gateway.answer(&request_id, request).await })
    }))
}

/// The transport of a style that serves documents only: it reaches no procedure.
struct Nothing {
    cors: Cors,
    site: Arc<Site>,
}

impl Transport for Nothing {
    fn call<'a>(
        &'a self,
        procedure: &'a str,
        request_id: &'a str,
        request: Request<Bytes>,
    ) -> BoxFuture<'a, Response<Bytes>> {
        let fault = Fault::new(Code::NotImplemented, "Nothing is called from here.");
        let response = refuse(&self.cors, &self.site, request_id, &request, Addressee::Called(procedure), &fault);
        Box::pin(std::future::ready(response))
    }
}
