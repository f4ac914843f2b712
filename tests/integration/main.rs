mod compile_errors;
