// The types of `soap` name this package, which comes without its own.
declare module "sax" {
  export type SAXStream = NodeJS.ReadWriteStream;
}
