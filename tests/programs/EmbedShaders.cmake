# kronos_embed_shaders(TARGET a.comp b.comp ...): compiles each shader and makes "a.comp.h", with the array kAComp, for
# TARGET to include.
find_program(GLSLANG_VALIDATOR NAMES glslangValidator glslang REQUIRED)
set(KRONOS_EMBED_SPIRV ${CMAKE_CURRENT_LIST_DIR}/embed_spirv.py)

function(kronos_embed_shaders TARGET)
  set(FOLDER ${CMAKE_CURRENT_BINARY_DIR}/shaders)
  file(MAKE_DIRECTORY ${FOLDER})
  foreach(SHADER IN LISTS ARGN)
    get_filename_component(FILE ${SHADER} NAME)
    set(SOURCE ${CMAKE_CURRENT_SOURCE_DIR}/${SHADER})
    add_custom_command(
      OUTPUT ${FOLDER}/${FILE}.h
      COMMAND ${GLSLANG_VALIDATOR} -V --quiet --target-env vulkan1.1 -o ${FOLDER}/${FILE}.spv ${SOURCE}
      COMMAND ${Python3_EXECUTABLE} ${KRONOS_EMBED_SPIRV} ${FOLDER}/${FILE}.spv ${FILE} ${FOLDER}/${FILE}.h
      DEPENDS ${SOURCE} ${KRONOS_EMBED_SPIRV}
      COMMENT "Compiling ${FILE}" VERBATIM)
    target_sources(${TARGET} PRIVATE ${FOLDER}/${FILE}.h)
  endforeach()
  target_include_directories(${TARGET} PRIVATE ${FOLDER})
endfunction()
