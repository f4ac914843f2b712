//! The pages to which mails and applications lead, for a service that has none of its own: what a frontend does with the
//! same procedures.

use model::Password;
use runtime::{HttpReply, Page, Site};

use crate::authorization::pages::STYLE;

/// One page: what it is called in an address, what it says, and what it does.
pub(crate) struct Shown {
    /// Its path, as that of a frontend's page.
    pub path: &'static str,
    /// Its title.
    pub title: &'static str,
    /// HTML below the title; [`SHORTEST`] stands for the length of a password.
    pub body: &'static str,
    /// What runs in it.
    pub script: &'static str,
}

/// How many characters a password has at least, in a page's text.
const SHORTEST: &str = "{shortest}";

impl Shown {
    /// Where it is: the frontend's page, or this one where there is no frontend.
    pub fn address(&self, site: &Site) -> String {
        format!("{}/{}", site.app_url(), self.path)
    }

    /// The page; or the way to that of the frontend, if there is one, with the query of this request. A browser takes
    /// what stands behind `#` along (Fetch, HTTP-redirect fetch).
    pub fn reply(&self, site: &Site, query: &str) -> Result<HttpReply, protocol::Fault> {
        if site.has_pages_elsewhere() {
            let query = if query.is_empty() { String::new() } else { format!("?{query}") };
            return HttpReply::redirect(&(self.address(site) + &query));
        }
        let Self { title, body, script, .. } = self;
        let body = body.replace(SHORTEST, &Password::MIN_CHARS.to_string());
        let body = format!("<h1>{title}</h1>\n{body}<noscript>This page needs JavaScript.</noscript>\n");
        Ok(Page::new(title, STYLE, body).script(script).form_to("").into_reply())
    }
}

/// What all scripts begin with: the token, the parts of the page, and how a procedure is called. A fault's text is
/// the service's, and is shown as text.
macro_rules! script {
    ($rest:literal) => {
        concat!(
            "const token=new URLSearchParams(location.hash.slice(1)).get('token')??'';",
            "const form=document.querySelector('form');",
            "const said=document.querySelector('[role=alert]');",
            "const done=()=>{form.hidden=true;document.querySelector('#done').hidden=false};",
            "const call=async(procedure,input)=>{",
            "said.textContent='';",
            "try{",
            "const body=JSON.stringify(input);",
            "const headers={'content-type':'application/json'};",
            "const answer=await fetch('/trpc/'+procedure,{method:'POST',headers,body});",
            "if(answer.ok)return done();",
            "const{error}=await answer.json();",
            "said.textContent=error.message;",
            "return error.data.failure?.type;",
            "}catch{said.textContent='The service does not answer.'}",
            "};",
            "form.addEventListener('submit',(event)=>{",
            "event.preventDefault();",
            "void send(Object.fromEntries(new FormData(form)));",
            "});",
            $rest
        )
    };
}

/// Proves the address at once in the browser that registered, and asks any other one for the password.
pub(crate) const VERIFY_EMAIL: Shown = Shown {
    path: "verify-email",
    title: "Confirm your e-mail address",
    body: "<form hidden>\n<p>This is not the browser in which you registered: give the password that you chose there.</p>\n\
           <label>Password <input name=\"password\" type=\"password\" autocomplete=\"current-password\" required></label>\n\
           <button>Confirm</button>\n<p><a id=\"other\" href=\"/reset-password\">Choose another password</a></p>\n</form>\n\
           <p role=\"alert\"></p>\n<p id=\"done\" hidden>Your address is confirmed. <a href=\"/sign-in\">Sign in</a></p>\n",
    script: script!(
        "document.querySelector('#other').href='/reset-password'+location.hash;\
         const send=async(input)=>{\
         const failure=await call('auth.verify_email',{token,...input});\
         if(failure!=='passwordNeeded')return;\
         if(form.hidden)said.textContent='';\
         form.hidden=false;\
         };\
         void send({});"
    ),
};

/// Takes a new password.
pub(crate) const RESET_PASSWORD: Shown = Shown {
    path: "reset-password",
    title: "Choose a new password",
    body: "<form>\n<label>New password, at least {shortest} characters \
           <input name=\"password\" type=\"password\" autocomplete=\"new-password\" minlength=\"{shortest}\" required></label>\n\
           <button>Choose it</button>\n</form>\n<p role=\"alert\"></p>\n\
           <p id=\"done\" hidden>You have a new password. <a href=\"/sign-in\">Sign in</a></p>\n",
    script: script!("const send=(input)=>call('auth.reset_password',{token,...input});"),
};

/// Signs in with a password, or by way of an account elsewhere. Then it goes on to `return_to`, if that is an address of
/// the service; where none is given, who is signed in is told so.
pub(crate) const SIGN_IN: Shown = Shown {
    path: "sign-in",
    title: "Sign in",
    body: "<form>\n\
           <label>E-mail address <input name=\"email\" type=\"email\" autocomplete=\"username\" required></label>\n\
           <label>Password <input name=\"password\" type=\"password\" autocomplete=\"current-password\" required></label>\n\
           <button>Sign in</button>\n</form>\n<p role=\"alert\"></p>\n\
           <p id=\"done\" hidden>You are signed in. <a href=\"/docs\">What there is to call</a></p>\n",
    script: script!(
        "const asked=new URLSearchParams(location.search).get('return_to');\
         const next=asked!==null&&URL.canParse(asked,location.href)?new URL(asked,location.href):null;\
         const goes=next!==null&&next.origin===location.origin;\
         const send=async(input)=>{\
         await call('auth.login',input);\
         if(goes&&form.hidden)location.replace(next);\
         };\
         if(!goes)fetch('/trpc/auth.me').then((answer)=>answer.ok&&done()).catch(()=>{});\
         fetch('/trpc/oauth.providers').then((answer)=>answer.json()).then(({result})=>{\
         const back=goes?next.pathname+next.search:location.pathname;\
         for(const{id,label}of result.data.items){\
         const link=document.createElement('a');\
         link.textContent='Sign in with '+label;\
         link.href='/oauth/start?'+new URLSearchParams({provider:id,return_to:back});\
         const line=document.createElement('p');\
         line.append(link);\
         form.append(line);\
         }\
         }).catch(()=>{});"
    ),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_with_a_frontend_shows_none_of_its_own() {
        let place = |site: &Site| {
            let (parts, body) = VERIFY_EMAIL.reply(site, "a=b").unwrap().into_response().into_parts();
            (parts.headers.get("location").cloned(), String::from_utf8(body.to_vec()).unwrap())
        };
        let (location, page) = place(&Site::new("http://127.0.0.1:9000", "", ""));
        assert!(location.is_none() && page.contains("<h1>Confirm your e-mail address</h1>"));
        let (location, _) = place(&Site::new("http://127.0.0.1:9000", "https://app.example.com/in", ""));
        assert_eq!(location.unwrap(), "https://app.example.com/in/verify-email?a=b");
    }
}
