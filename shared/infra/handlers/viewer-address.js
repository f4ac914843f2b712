// CloudFront: says to the service from which address it is called, whatever the caller says about that.
// Runs in cloudfront-js-2.0, which has no modules.
function handler(event) {
  var request = event.request;
  request.headers["x-viewer-address"] = { value: event.viewer.ip };
  return request;
}
