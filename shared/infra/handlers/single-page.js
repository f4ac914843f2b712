// CloudFront: an address of the frontend's router is served by the one page.
// Runs in cloudfront-js-2.0, which has no modules.
function handler(event) {
  var request = event.request;
  var last = request.uri.slice(request.uri.lastIndexOf("/") + 1);
  if (last.indexOf(".") === -1) {
    request.uri = "/index.html";
  }
  return request;
}
